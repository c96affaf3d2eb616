package ops

import (
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"strings"
	"testing"

	"incidentd/yang/rpcerr"
)

// Whatever a client gives as a URL is refused with an error of its own, or leads to a
// file below the directory of files or to a host by https, and the same way when it is
// written again.
func FuzzLocation(f *testing.F) {
	for _, seed := range []string{"file:///a.xml", "file:a/b.xml", "file://localhost/a.xml", "file:///../a", "file:///%2e%2e/a", "file:////etc/passwd", "FILE:///A",
		"https://h/a?b", "https://u:p@[::1]:8443/%20", "https:///a", "http://h/", "file:///a#b", "a", "%", "file:///a%00b", "file:///a//b", "file:///a/./b"} {
		f.Add(seed)
	}
	root, err := os.OpenRoot(f.TempDir())
	if err != nil {
		f.Fatal(err)
	}
	defer root.Close()
	o := &operations{files: root, http: http.DefaultClient}
	f.Fuzz(func(t *testing.T, text string) {
		l, err := o.location(text)
		if err != nil {
			if list, known := rpcerr.List(err); !known || list[0].Tag != rpcerr.TagInvalidValue {
				t.Fatalf("%q is refused with %v", text, err)
			}
			return
		}
		again := l.https
		switch {
		case l.file != "" && l.https != "":
			t.Fatalf("%q leads to two places: %+v", text, l)
		case l.file != "":
			if !fs.ValidPath(l.file) || l.file == "." {
				t.Fatalf("%q leads to the file %q", text, l.file)
			}
			again = (&url.URL{Scheme: "file", Path: "/" + l.file}).String()
		case !strings.HasPrefix(l.https, "https://") || strings.HasPrefix(l.https, "https:///"):
			t.Fatalf("%q leads to %q", text, l.https)
		}
		if back, err := o.location(again); err != nil || back != l {
			t.Fatalf("%q is %+v; written as %q it is %+v, %v", text, l, again, back, err)
		}
	})
}
