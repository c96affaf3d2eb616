package ops

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"path"
	"slices"
	"strings"
	"syscall"
	"time"

	"incidentd/netconf"
	"incidentd/yang/data"
	"incidentd/yang/rpcerr"
	"incidentd/yang/xmltext"
)

// Bounds of what a URL has.
const (
	mostBytes   = 64 << 20
	longestCall = 30 * time.Second
)

// location is where a URL leads: a file below Config.Files, or a resource of an HTTPS
// server. Two URLs of the same place have the same location.
type location struct {
	file  string // slash-separated, relative; "" for the others
	https string
}

// schemes are those that the capability :url tells [RFC 6241 section 8.8.3].
func (o *operations) schemes() []string {
	var list []string
	if o.files != nil {
		list = append(list, "file")
	}
	if o.http != nil {
		list = append(list, "https")
	}
	return list
}

// location reads the parameter url.
func (o *operations) location(text string) (location, error) {
	u, err := url.Parse(text)
	switch {
	case len(o.schemes()) == 0:
		return location{}, rpcerr.OperationNotSupported("a URL")
	case err != nil:
		return location{}, rpcerr.InvalidValue("this is no URL: %v", errors.Unwrap(err))
	case !slices.Contains(o.schemes(), u.Scheme):
		return location{}, rpcerr.InvalidValue("URLs here have one of these schemes: %s", strings.Join(o.schemes(), ", "))
	case u.Fragment != "":
		return location{}, rpcerr.InvalidValue("a URL here has no fragment")
	case u.Scheme == "https" && u.Host == "":
		return location{}, rpcerr.InvalidValue("the URL names no host")
	case u.Scheme == "https":
		return location{https: u.String()}, nil
	}
	name := strings.TrimPrefix(u.Path+u.Opaque, "/")
	if u.Host != "" && u.Host != "localhost" || u.User != nil || u.RawQuery != "" || !fs.ValidPath(name) || name == "." {
		return location{}, rpcerr.InvalidValue("the URL of a file is file:/// and the name of a file in the server's directory of files")
	}
	return location{file: name}, nil
}

// load returns the configuration that a URL has: an XML document whose root is <config>
// [RFC 6241 section 8.8.5].
func (o *operations) load(ctx context.Context, l location, p data.Parser) (*data.Node, error) {
	text, err := o.fetch(ctx, l)
	if err != nil {
		return nil, err
	}
	d := xmltext.NewDecoder(text, p.Limits)
	t, err := d.Next()
	if err == nil && (t.Kind != xmltext.Start || t.Local != "config" || t.Space != rpcerr.BaseNamespace) {
		return nil, rpcerr.InvalidValue("the root of the document is not <config> of NETCONF")
	}
	var tree *data.Node
	if err == nil {
		tree, err = p.Parse(d, o.schema.Root)
	}
	if err == nil {
		_, err = d.Next() // nothing may follow
	}
	if s := data.AsSyntaxError(err); s != nil {
		return nil, rpcerr.InvalidValue("the document is not well-formed: %v", s)
	}
	return tree, err
}

func (o *operations) fetch(ctx context.Context, l location) ([]byte, error) {
	var from io.ReadCloser
	if l.file != "" {
		f, err := o.files.Open(l.file)
		if err != nil {
			return nil, fileError(err)
		}
		if info, err := f.Stat(); err != nil || !info.Mode().IsRegular() {
			f.Close()
			return nil, rpcerr.InvalidValue("this is no file")
		}
		from = f
	} else {
		ctx, cancel := context.WithTimeout(ctx, longestCall)
		defer cancel()
		r, err := o.call(ctx, http.MethodGet, l.https, nil)
		if err != nil {
			return nil, err
		}
		from = r
	}
	defer from.Close()
	text, err := io.ReadAll(io.LimitReader(from, mostBytes+1))
	switch {
	case err != nil && l.https != "":
		return nil, rpcerr.OperationFailed("the transfer broke off")
	case err != nil:
		return nil, fileError(err)
	case len(text) > mostBytes:
		return nil, rpcerr.TooBig("a document may have %d bytes", mostBytes)
	}
	return text, nil
}

// save writes a configuration to a URL, which has it whole or not at all.
func (o *operations) save(ctx context.Context, l location, tree *data.Node, v *data.View) error {
	var b bytes.Buffer
	tree, err := (*data.Filter)(nil).Select(tree, v.Defaults)
	if err != nil {
		return err
	}
	b.WriteString(`<?xml version="1.0" encoding="UTF-8"?>` + "\n" + `<config xmlns="` + rpcerr.BaseNamespace + `">`)
	if err := v.Write(&b, tree, rpcerr.BaseNamespace); err != nil {
		return err
	}
	b.WriteString("</config>\n")
	if b.Len() > mostBytes {
		return rpcerr.TooBig("a document may have %d bytes", mostBytes)
	}
	if l.file != "" {
		return fileError(o.writeFile(l.file, b.Bytes()))
	}
	ctx, cancel := context.WithTimeout(ctx, longestCall)
	defer cancel()
	body, err := o.call(ctx, http.MethodPut, l.https, &b)
	if err != nil {
		return err
	}
	return body.Close()
}

// writeFile puts a file into place when it is on disk.
func (o *operations) writeFile(name string, text []byte) (err error) {
	dir := path.Dir(name)
	if err := o.files.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	work := path.Join(dir, ".work-"+rand.Text())
	f, err := o.files.OpenFile(work, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(text)
	err = errors.Join(err, f.Sync(), f.Close())
	if err == nil {
		err = o.files.Rename(work, name)
	}
	if err != nil {
		return errors.Join(err, o.files.Remove(work))
	}
	return o.syncDirectory(dir)
}

func (o *operations) syncDirectory(name string) error {
	d, err := o.files.Open(name)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// remove deletes what a URL has.
func (o *operations) remove(ctx context.Context, l location) error {
	if l.file != "" {
		info, err := o.files.Lstat(l.file)
		if err == nil && info.IsDir() {
			return rpcerr.InvalidValue("this is no file")
		}
		if err == nil {
			err = o.files.Remove(l.file)
		}
		if err == nil {
			err = o.syncDirectory(path.Dir(l.file))
		}
		return fileError(err)
	}
	ctx, cancel := context.WithTimeout(ctx, longestCall)
	defer cancel()
	body, err := o.call(ctx, http.MethodDelete, l.https, nil)
	if err != nil {
		return err
	}
	return body.Close()
}

// fileError tells a client what is wrong with a file, without where the files are.
func fileError(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, fs.ErrNotExist):
		return rpcerr.InvalidValue("there is no such file")
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		return rpcerr.ResourceDenied("the disk has no room left")
	case errors.Is(err, syscall.EIO), errors.Is(err, syscall.EROFS):
		return fmt.Errorf("the directory of files: %w", err)
	}
	return rpcerr.InvalidValue("this cannot be used as the name of a file")
}

// call asks an HTTPS server; what it answers has to be closed.
func (o *operations) call(ctx context.Context, method, to string, body io.Reader) (io.ReadCloser, error) {
	r, err := http.NewRequestWithContext(ctx, method, to, body)
	if err != nil {
		return nil, rpcerr.InvalidValue("the URL cannot be used")
	}
	if body != nil {
		r.Header.Set("Content-Type", "application/xml")
	}
	answer, err := o.http.Do(r)
	if err != nil {
		return nil, rpcerr.OperationFailed("the server of the URL cannot be asked: %v", errors.Unwrap(err))
	}
	if answer.StatusCode/100 != 2 {
		answer.Body.Close()
		return nil, rpcerr.OperationFailed("the server of the URL answers %s", answer.Status)
	}
	return answer.Body, nil
}

// view is how a request wants defaults to be shown [RFC 6243 section 4.5].
func (o *operations) view(r *netconf.Request) *data.View {
	v := &data.View{Schema: o.schema, Content: data.ConfigNodes}
	if mode := r.Input.Leaf("with-defaults"); mode != "" {
		v.Defaults, _ = data.ParseDefaults(mode) // the schema has checked it
	}
	return v
}
