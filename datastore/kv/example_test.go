package kv_test

import (
	"fmt"
	"log"
	"os"
	"path/filepath"

	"incidentd/datastore/kv"
)

func Example() {
	dir, err := os.MkdirTemp("", "kv")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	db, err := kv.Open(filepath.Join(dir, "store"), kv.Options{})
	if err != nil {
		log.Fatal(err)
	}
	defer db.Close()

	err = db.Update(func(w *kv.Writer) error {
		for _, name := range []string{"PE2", "PE1", "P1"} {
			if err := w.Put("nodes", []byte(name), []byte("up")); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		log.Fatal(err)
	}
	err = db.View(func(r *kv.Reader) error {
		for name, state := range r.Scan("nodes", []byte("PE"), nil) {
			fmt.Printf("%s is %s\n", name, state)
		}
		return nil
	})
	if err != nil {
		log.Fatal(err)
	}
	// Output:
	// PE1 is up
	// PE2 is up
}
