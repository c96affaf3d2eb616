package syslog

import "io"

// Frames reads all messages of a connection, and what ended them.
func Frames(r io.Reader, most int) (all []string, err error) {
	in := newFrames(r, most)
	for {
		b, err := in.next()
		if err != nil {
			return all, err
		}
		all = append(all, string(b))
	}
}
