package main

import "context"

// tabulate reads things from the server and shows them as JSON, or as a table with a row
// for each.
func tabulate[T any](ctx context.Context, a *app, read func(*session, context.Context) ([]T, error), columns []column, row func(screen, T) []cell) error {
	return a.withSession(ctx, func(s *session) error {
		list, err := read(s, ctx)
		if err != nil {
			return err
		}
		if a.json {
			return a.writeJSON(list)
		}
		out := a.screen()
		var rows [][]cell
		for _, v := range list {
			rows = append(rows, row(out, v))
		}
		return out.table("", columns, rows)
	})
}
