package scenario

import (
	"bytes"
	"strings"
)

// archive is a file of the txtar format: a comment, then files, each after a line
// "-- NAME --".
type archive struct {
	comment string
	files   []file
}

type file struct {
	name string
	data []byte
}

func parseArchive(text []byte) *archive {
	a := &archive{}
	var body *[]byte
	var comment []byte
	body = &comment
	for line := range bytes.Lines(text) {
		trimmed := strings.TrimRight(string(line), "\n")
		if name, ok := strings.CutPrefix(trimmed, "-- "); ok && strings.HasSuffix(name, " --") {
			a.files = append(a.files, file{name: strings.TrimSuffix(name, " --")})
			body = &a.files[len(a.files)-1].data
			continue
		}
		*body = append(*body, line...)
	}
	a.comment = string(comment)
	return a
}

func (a *archive) file(name string) []byte {
	for _, f := range a.files {
		if f.name == name {
			return f.data
		}
	}
	return nil
}

func (a *archive) set(name string, data []byte) {
	for i, f := range a.files {
		if f.name == name {
			a.files[i].data = data
			return
		}
	}
	a.files = append(a.files, file{name, data})
}

func (a *archive) format() []byte {
	var b bytes.Buffer
	b.WriteString(a.comment)
	for _, f := range a.files {
		b.WriteString("-- " + f.name + " --\n")
		b.Write(f.data)
	}
	return b.Bytes()
}
