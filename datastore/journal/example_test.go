package journal_test

import (
	"context"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"time"

	"incidentd/datastore/journal"
	"incidentd/datastore/kv"
)

func Example() {
	dir, err := os.MkdirTemp("", "journal")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	db, err := kv.Open(filepath.Join(dir, "store"), kv.Options{})
	if err != nil {
		log.Fatal(err)
	}
	defer db.Close()
	j, err := journal.Open(db, journal.Options{})
	if err != nil {
		log.Fatal(err)
	}

	// The state and what announces it are one transaction.
	var batch *journal.Batch
	err = db.Update(func(w *kv.Writer) (err error) {
		if err := w.Put("incidents", []byte("inc-1"), []byte("raised")); err != nil {
			return err
		}
		batch, err = j.Stage(w, time.Now(), []journal.Draft{{
			Stream: "incidents",
			Name:   "ietf-incident:incident-notification",
			Body:   []byte("<incident-notification/>"),
		}})
		return err
	})
	if err != nil {
		if batch != nil {
			batch.Discard()
		}
		log.Fatal(err)
	}
	batch.Publish()

	r, err := j.Cursor(1, "incidents").Next(context.Background())
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(r.Seq, r.Name)
	// Output: 1 ietf-incident:incident-notification
}
