package oam

// Keys finds the key of a name that engines authenticate with. nil has none.
type Keys func(name string) ([]byte, error)

// Key is the key of a name; nil for "". Its errors are faults.
func (k Keys) Key(name string) ([]byte, error) {
	if name == "" {
		return nil, nil
	}
	if k == nil {
		return nil, Faultf(NotPermitted, "there is no key %s", name)
	}
	key, err := k(name)
	if err != nil {
		return nil, Faultf(NotPermitted, "key %s: %w", name, err)
	}
	return key, nil
}
