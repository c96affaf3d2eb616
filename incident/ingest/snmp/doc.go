// Package snmp receives notifications of SNMP: traps and informs of version 1, 2c and 3
// [RFC 3416, RFC 3414]. Messages are read by github.com/gosnmp/gosnmp, which is maintained
// and knows the User-based Security Model; its listener is not used, because it answers an
// inform whether there was room for it or not, and counts nothing.
package snmp
