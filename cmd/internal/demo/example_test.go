package demo_test

import (
	"fmt"
	"time"

	"incidentd/cmd/internal/demo"
)

func ExampleStorm() {
	start := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	storm := demo.New(1, start)
	for _, e := range storm.Next(start.Add(2 * time.Second)) {
		fmt.Println(e.Arrival.Format("05.000"), e.Node, e.Resource, e.Text)
	}
	// Output:
	// 01.109 P3 eth1 Pluggable module in eth1 failed
	// 01.266 P3 eth1 BFD session on eth1 to P2 went down
	// 01.332 P2 eth2 BFD session on eth2 to P3 went down
	// 01.389 P2 eth2 Interface eth2 operational state changed to down
	// 01.583 P3 eth1 Interface eth1 operational state changed to down
	// 01.713 O-Gothenburg CLI-1-1 No light received from client equipment at CLI-1-1
	// 01.796 P2 eth2 IS-IS adjacency to P3 on eth2 lost
}
