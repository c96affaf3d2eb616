package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// output calls write for the file at path, - for standard output. A new file gets
// the mode 0600 and its name only when it is whole and on disk. A file that is
// there is replaced if replace is set, and is an error otherwise.
func (a *app) output(path string, replace bool, write func(io.Writer) error) error {
	if path == "-" {
		w := bufio.NewWriterSize(a.stdout, 64<<10)
		return errors.Join(write(w), w.Flush())
	}
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return err
	case info.IsDir():
		return fmt.Errorf("%s is a directory; name a file", path)
	case !info.Mode().IsRegular():
		return device(path, write)
	case !replace:
		return fmt.Errorf("%s is there already; choose another name, or replace it with --force", path)
	}
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+"-")
	if err != nil {
		return err
	}
	w := bufio.NewWriterSize(f, 64<<10)
	err = errors.Join(write(w), w.Flush(), f.Sync(), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	return nil
}

// device writes to what is no regular file, such as a pipe.
func device(path string, write func(io.Writer) error) error {
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	w := bufio.NewWriterSize(f, 64<<10)
	err = errors.Join(write(w), w.Flush(), f.Sync())
	if errors.Is(err, syscall.EINVAL) { // no fsync there
		err = nil
	}
	return errors.Join(err, f.Close())
}
