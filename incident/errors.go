package incident

import "strings"

// trimError is the text of an error without that of the sentinel which it wraps in front.
func trimError(err, sentinel error) string {
	return strings.TrimPrefix(err.Error(), sentinel.Error()+": ")
}
