package kv

import (
	"encoding/binary"
	"fmt"
	"testing"
)

func BenchmarkUpdate(b *testing.B) {
	for _, group := range []int{1, 10, 100, 1000} {
		b.Run(fmt.Sprint(group), func(b *testing.B) {
			db := openTest(b, Options{})
			value, n := make([]byte, 500), uint64(0)
			for b.Loop() {
				if err := db.Update(func(w *Writer) error {
					for range group {
						n++
						if err := w.Append("t", binary.BigEndian.AppendUint64(nil, n), value); err != nil {
							return err
						}
					}
					return nil
				}); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "rows/s")
		})
	}
}

// loaded is a store with so many rows of 500 bytes.
func loaded(b *testing.B, rows int) *DB {
	db := openTest(b, Options{})
	for n := 0; n < rows; n += 10000 {
		if err := db.Update(func(w *Writer) error {
			for i := n; i < n+10000; i++ {
				if err := w.Append("t", binary.BigEndian.AppendUint64(nil, uint64(i)), make([]byte, 500)); err != nil {
					return err
				}
			}
			return nil
		}); err != nil {
			b.Fatal(err)
		}
	}
	return db
}

func BenchmarkGet(b *testing.B) {
	db, n := loaded(b, 100000), uint64(0)
	b.ReportAllocs()
	_ = db.View(func(r *Reader) error {
		for b.Loop() {
			n = n*6364136223846793005 + 1
			if r.Get("t", binary.BigEndian.AppendUint64(nil, n%100000)) == nil {
				b.Fatal("a row is not there")
			}
		}
		return nil
	})
}

func BenchmarkScan(b *testing.B) {
	db, n := loaded(b, 100000), 0
	for b.Loop() {
		_ = db.View(func(r *Reader) error {
			for range r.Scan("t", nil, nil) {
				n++
			}
			return nil
		})
	}
	b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "rows/s")
}

// BenchmarkOpen includes the check of the file's structure.
func BenchmarkOpen(b *testing.B) {
	db := loaded(b, 500000)
	path := db.Path()
	if err := db.Close(); err != nil {
		b.Fatal(err)
	}
	b.SetBytes(db.Stats().FileBytes)
	for b.Loop() {
		db, err := Open(path, Options{MustExist: true})
		if err != nil {
			b.Fatal(err)
		}
		if err := db.Close(); err != nil {
			b.Fatal(err)
		}
	}
}
