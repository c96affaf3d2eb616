package main

import "testing"

func TestExplainAccess(t *testing.T) {
	l := newLive(t)
	golden(t, "nacm", l.play(
		words("nacm explain admin update /networks/network=ip"),
		words("nacm explain noc update /networks/network=ip"),
		words("nacm explain noc read /nacm/groups"),
		words("nacm explain noc exec incidentd-events:report-events"),
		words("nacm explain noc exec incidentd-events:report-events --group collectors"),
		words("nacm explain noc exec ietf-netconf:kill-session --json"),
		words("nacm explain noc notify ietf-incident:incident-notification"),
		words("nacm explain noc read /networks/netwrok"),
		words("nacm explain noc commit /networks"),
	))
}
