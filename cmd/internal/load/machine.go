package load

import (
	"fmt"
	"os"
	"runtime"
	"strings"
)

// Machine names what this program runs on, and how busy that is, for who reads figures.
func Machine() string {
	return fmt.Sprintf("%d cores of %s, %s, %s%s", runtime.NumCPU(), processor(), kernel(), runtime.Version(), busy())
}

func processor() string {
	text, err := os.ReadFile("/proc/cpuinfo")
	if err != nil {
		return runtime.GOARCH
	}
	for line := range strings.Lines(string(text)) {
		if key, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(key) == "model name" {
			return strings.TrimSpace(value)
		}
	}
	return runtime.GOARCH
}

func kernel() string {
	text, err := os.ReadFile("/proc/sys/kernel/osrelease")
	if err != nil {
		return runtime.GOOS
	}
	release, _, _ := strings.Cut(strings.TrimSpace(string(text)), "-")
	return "Linux " + release
}

// busy is the load average of the last quarter of an hour.
func busy() string {
	text, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return ""
	}
	if f := strings.Fields(string(text)); len(f) > 2 {
		return ", load average " + f[2]
	}
	return ""
}
