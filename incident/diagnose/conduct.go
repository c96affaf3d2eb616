package diagnose

import (
	"context"
	"sync"
)

// conduct runs a playbook to its end, or until ctx is done. The tests of a batch run beside
// each other; run runs one of them, and is called from several goroutines. tell is called
// the results of each batch.
func conduct(ctx context.Context, b *Book, run func(context.Context, Step) Measured, tell func([]Measured)) (done []Measured) {
	for {
		batch := b.Next(done)
		if len(batch) == 0 || ctx.Err() != nil {
			return done
		}
		results := make([]Measured, len(batch))
		var wait sync.WaitGroup
		for i, s := range batch {
			wait.Go(func() { results[i] = run(ctx, s) })
		}
		wait.Wait()
		done = append(done, results...)
		tell(results)
	}
}
