package main

import (
	"strings"
	"testing"

	"incidentd/cmd/internal/server"
)

// TestNACM switches access control on and off, of a server that runs and of one that
// does not.
func TestNACM(t *testing.T) {
	const rules = `group admin: admin
group collectors: nobody
group oam-operator: nobody
group oam-viewer: nobody
group operators: nobody
rule-list admin, for admin
  everything: permit everything
rule-list collectors, for collectors
  report-events: permit exec rpc report-events of the module incidentd-events
rule-list operators, for operators
  incidents: permit exec of the module ietf-incident
  resolution: permit exec of the module incidentd-resolution
  diagnosis: permit exec of the module incidentd-diagnosis
  merge: permit exec rpc merge-incidents of the module incidentd-management
  split: permit exec rpc split-incident of the module incidentd-management
  move: permit exec rpc move-events of the module incidentd-management
  comment: permit exec rpc comment-incident of the module incidentd-management
  alarms: permit exec of the module ietf-alarms
rule-list oam-operator, for oam-operator
  tests: permit exec of the module incidentd-oam-tests
  diagnose: permit exec rpc incident-diagnose of the module ietf-incident
  diagnosis: permit exec of the module incidentd-diagnosis
rule-list oam-viewer, for oam-viewer
  preview: permit exec rpc preview-schedule of the module incidentd-oam-tests
  certificates: permit exec rpc get-birth-certificate of the module incidentd-oam-tests
  tests: deny exec of the module incidentd-oam-tests
  incidents: deny exec of the module ietf-incident
  comment: deny exec rpc comment-incident of the module incidentd-management
  alarms: deny exec of the module ietf-alarms
`
	const on = "Access is controlled. Without a rule: read permit, write deny, exec permit.\n" + rules
	const off = "Access is not controlled: every user may do everything.\n" + rules
	for _, running := range []bool{false, true} {
		t.Run(map[bool]string{false: "stopped", true: "running"}[running], func(t *testing.T) {
			dir := initialised(t)
			if running {
				s, err := server.New(server.Config{DataDir: dir, Listen: "127.0.0.1:0"})
				if err != nil {
					t.Fatal(err)
				}
				defer s.Stop(t.Context())
				if err := s.Start(); err != nil {
					t.Fatal(err)
				}
			}
			for _, step := range []struct{ args, says string }{
				{"nacm show", on}, {"nacm disable", off}, {"nacm show", off}, {"nacm enable", on}, {"nacm enable", on},
				{"nacm show --json", `{"enabled":true,"read-default":"permit"`},
			} {
				stdout, _ := must(t, "", append(strings.Fields(step.args), "--data", dir)...)
				if stdout != step.says && !(strings.Contains(step.args, "json") && strings.HasPrefix(stdout, step.says)) {
					t.Errorf("incidentd %s says\n%s, want\n%s", step.args, stdout, step.says)
				}
			}
		})
	}
	if status, _, stderr := call(t, "", "nacm", "disable"); status != 2 || !strings.Contains(stderr, "--data is missing") {
		t.Errorf("nacm disable without a directory = %d, %s", status, stderr)
	}
}
