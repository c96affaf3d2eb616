package xpath

import (
	"errors"
	"fmt"
)

// Errors of an evaluation.
var (
	// ErrBudget says that the evaluation was given up because Context.Budget was
	// spent.
	ErrBudget = errors.New("xpath: the evaluation takes too many steps")

	// ErrNoNode says that Context.Node is nil.
	ErrNoNode = errors.New("xpath: there is no context node")

	// ErrNoEnvironment says that the expression calls a function that needs the
	// schema, but Context.Env is nil.
	ErrNoEnvironment = errors.New("xpath: the expression needs the schema, and there is none")

	// ErrNotNodeSet says that EvalNodes was asked of an expression of another type.
	ErrNotNodeSet = errors.New("xpath: the expression does not yield a node-set")
)

// ErrQuotes says that a key value holds both kinds of quotes, so that no literal
// can express it.
var ErrQuotes = errors.New("xpath: a value with both kinds of quotes cannot be written as a literal")

// A SyntaxError says where and why a text is not a valid expression.
type SyntaxError struct {
	Expr   string // the whole text
	Offset int    // where in it, in bytes from 0
	Reason string // why, without the position
}

// Error gives the reason, the position (in bytes from 1) and the expression,
// shortened if long.
func (e *SyntaxError) Error() string {
	const most = 120
	text := e.Expr
	if len(text) > most {
		text = text[:most] + "..."
	}
	return fmt.Sprintf("xpath: %s at position %d of %q", e.Reason, e.Offset+1, text)
}
