package server

import "testing"

// A maintenance point answers as configured, or tells why not.
func TestMaintenancePoint(t *testing.T) {
	s, _ := started(t, initialised(t))
	c := session(t, s)
	const state = `<oam-service xmlns="urn:incidentd:yang:oam-tests"><maintenance-point/></oam-service>`
	err := c.EditConfig(t.Context(), "running", []byte(`<oam-service xmlns="urn:incidentd:yang:oam-tests">
		<maintenance-point><name>end</name><interface>missing</interface><md-level>5</md-level></maintenance-point>
		<maintenance-point><name>bridge</name><interface>lo</interface><type>mip</type></maintenance-point></oam-service>`), "")
	if err != nil {
		t.Fatal(err)
	}
	eventually(t, c, state, "<fault>there is no interface missing</fault>", "<fault>lo is no bridge with ports</fault>")
}
