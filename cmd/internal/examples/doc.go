// Package examples has the test that runs what the documents of the folder examples say.
package examples
