// Package report makes birth certificates of what sequences of OAM tests found
// [draft-contreras-opsawg-scheduling-oam-tests-02 section 2.2]: a document that tells all
// that was measured and by which definition, signed with the SSH host key of the server,
// which its clients trust already, and the same as a page for people.
//
// The document is JSON in the canonical form of RFC 8785, so that it is the same bytes
// wherever it is written. Its member result is the entry of the list result of
// ietf-oam-test-sequence, and parameters are the containers of incidentd-oam-tests, as RFC
// 7951 encodes them: certificates have no words of their own for what YANG names. Definition
// is the configuration of the sequence as XML; its SHA-256 is configuration-hash of the
// result.
//
// The signature is in the form of SSHSIG, for Namespace:
//
//	ssh-keygen -Y verify -f allowed_signers -I NAME -n incidentd-birth-certificate -s certificate.sig < certificate.json
//
// The page holds nothing that is not in the document, and loads nothing.
package report
