package learn

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"
)

// recorded opens a file of the reference data; the test is skipped without it.
func recorded(t *testing.T, path ...string) *os.File {
	t.Helper()
	f, err := os.Open(filepath.Join(append([]string{"..", "..", "..", "shared", "data"}, path...)...))
	if err != nil {
		t.Skip("no reference material beside the repository")
	}
	t.Cleanup(func() { f.Close() })
	return f
}

// readAlarms reads alarm_id, device_id, start_timestamp in seconds.
func readAlarms(r io.Reader) (out []Alarm, err error) {
	rows, err := csv.NewReader(r).ReadAll()
	if err != nil {
		return nil, err
	}
	for _, row := range rows[1:] {
		var n [3]int
		for k := range n {
			if n[k], err = strconv.Atoi(row[k]); err != nil {
				return nil, err
			}
		}
		out = append(out, Alarm{n[0], n[1], time.Unix(int64(n[2]), 0)})
	}
	return out, nil
}

// readMatrix reads a square matrix of NumPy.
func readMatrix(r io.Reader) (m [][]float64, err error) {
	b, err := io.ReadAll(r)
	if err != nil || len(b) < 10 || !bytes.HasPrefix(b, []byte("\x93NUMPY\x01")) {
		return nil, errors.Join(err, errors.New("not a matrix"))
	}
	end := 10 + int(binary.LittleEndian.Uint16(b[8:]))
	shape := regexp.MustCompile(`\((\d+), (\d+)\)`).FindSubmatch(b[10:end])
	whole := bytes.Contains(b[10:end], []byte("'<i8'"))
	if shape == nil || !whole && !bytes.Contains(b[10:end], []byte("'<f8'")) {
		return nil, fmt.Errorf("not a matrix of numbers: %s", b[10:end])
	}
	n, _ := strconv.Atoi(string(shape[1]))
	m = make([][]float64, n)
	for k := range n * n {
		bits := binary.LittleEndian.Uint64(b[end+8*k:])
		v := math.Float64frombits(bits)
		if whole {
			v = float64(int64(bits))
		}
		m[k/n] = append(m[k/n], v)
	}
	return m, nil
}

// fit returns the F1 of links and their average precision as a ranking, by a graph.
func fit(links []Link, graph [][]float64) (f1, precision float64) {
	edges, right := 0, 0
	for _, row := range graph {
		for _, v := range row {
			if v == 1 {
				edges++
			}
		}
	}
	for k, l := range links {
		if graph[l.Cause][l.Effect] == 1 {
			right++
			precision += float64(right) / float64(k+1)
		}
	}
	return 2 * float64(right) / float64(len(links)+edges), precision / float64(edges)
}

// TestWireless compares what is learnt of a real wireless network with the graph that its
// experts have drawn. The best published method reaches an F1 of 0.577.
func TestWireless(t *testing.T) {
	z, err := gzip.NewReader(recorded(t, "pcic2021", "18V_55N_Wireless.tar.gz"))
	if err != nil {
		t.Fatal(err)
	}
	var alarms []Alarm
	var graph [][]float64
	for in := tar.NewReader(z); ; {
		h, err := in.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		switch {
		case strings.HasSuffix(h.Name, "Alarm.csv"):
			alarms, err = readAlarms(in)
		case strings.HasSuffix(h.Name, "DAG.npy"):
			graph, err = readMatrix(in)
		}
		if err != nil {
			t.Fatalf("%s: %v", h.Name, err)
		}
	}
	links := Links(alarms, Options{})
	f1, _ := fit(links, graph)
	t.Logf("18V_55N_Wireless: %d alarms, %d links, F1 %.3f", len(alarms), len(links), f1)
	if f1 < 0.577 {
		t.Errorf("F1 = %.3f, below 0.577", f1)
	}
}

// TestContest ranks the pairs of the sample of the NeurIPS 2023 contest.
func TestContest(t *testing.T) {
	z, err := gzip.NewReader(recorded(t, "neurips2023-csl", "alarm.csv.gz"))
	if err != nil {
		t.Fatal(err)
	}
	alarms, err := readAlarms(z)
	if err != nil {
		t.Fatal(err)
	}
	topology, err := readMatrix(recorded(t, "neurips2023-csl", "topology.npy"))
	if err != nil {
		t.Fatal(err)
	}
	graph, err := readMatrix(recorded(t, "neurips2023-csl", "true_graph.npy"))
	if err != nil {
		t.Fatal(err)
	}
	beside := func(d int) (out []int) {
		for k := range topology {
			if k != d && (topology[d][k] != 0 || topology[k][d] != 0) {
				out = append(out, k)
			}
		}
		return out
	}
	links := Links(alarms, Options{Beside: beside, LeastShare: 1e-9, LeastTimes: 1e-9})
	_, precision := fit(links, graph)
	sure, _ := fit(Links(alarms, Options{Beside: beside, LeastShare: 0.05}), graph)
	t.Logf("NeurIPS sample: %d alarms, average precision %.3f, F1 of shares from 0.05 %.3f", len(alarms), precision, sure)
	if precision < 0.9 {
		t.Errorf("average precision = %.3f, below 0.9", precision)
	}
}
