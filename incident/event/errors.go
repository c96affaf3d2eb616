package event

import "errors"

// Reasons why a line is no event; wrapped with the key and, by [Scanner], the line.
var (
	ErrSyntax  = errors.New("not a JSON object of one line")
	ErrMissing = errors.New("mandatory key is missing")
	ErrValue   = errors.New("value is not allowed")
	ErrTwice   = errors.New("key is given twice")
	ErrTooLong = errors.New("line is too long")
)
