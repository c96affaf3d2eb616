// Package scenario runs dialogues with a whole server: the files
// testdata/scenario/*.txtar of the repository, whose comment holds the steps and
// whose files hold what is sent and what is expected back.
//
// Client and server are real SSH over a network in memory, inside
// testing/synctest: hours pass in milliseconds, every stamp is the same in each
// run, and a goroutine that is left behind fails the test.
//
// OAM tests measure a network in memory, that of package diagnosetest.
//
// The steps, one a line; lines that begin with # are remarks:
//
//	session NAME         opens a NETCONF session as the user admin
//	session NAME DEVICE  opens one to a device
//	device NAME          starts another server, a device, which the server reaches at
//	                     the address NAME; what stands for its fingerprint in files
//	                     ends with its name: SHA256:AAA…NAME, 43 characters
//	program NAME FILE    puts FILE into the directory hooks, as a program
//	send NAME FILE       sends the operation in FILE
//	expect NAME FILE     the next message of the session is that of FILE
//	nothing NAME         no message comes within a second
//	close NAME           cuts the connection
//	sleep DURATION       lets time pass
//	restart              stops the server in order and starts it again
//	crash                kills the server as kill -9 would and starts it again
//
// With -update, go test rewrites the files that are expected.
package scenario
