package correlate

// arena hands out small things from blocks, which costs less than making each by itself.
// A block lives as long as anything of it.
type arena[T any] struct{ block []T }

const blockSize = 32

// new returns a zero T.
func (a *arena[T]) new() *T {
	if len(a.block) == 0 {
		a.block = make([]T, blockSize)
	}
	v := &a.block[0]
	a.block = a.block[1:]
	return v
}

// push appends to a list, of which many have one entry.
func (a *arena[T]) push(list []T, v T) []T {
	if cap(list) > 0 {
		return append(list, v)
	}
	if len(a.block) == 0 {
		a.block = make([]T, blockSize)
	}
	list, a.block = a.block[:1:1], a.block[1:]
	list[0] = v
	return list
}
