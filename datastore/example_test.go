package datastore_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing/fstest"

	"incidentd/datastore"
	"incidentd/datastore/journal"
	"incidentd/datastore/kv"
	"incidentd/yang"
	"incidentd/yang/data"
)

// State and the notification that announces it are one transaction.
func Example() {
	dir, err := os.MkdirTemp("", "datastore")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	schema, err := yang.Compile(fstest.MapFS{"m.yang": {Data: []byte(module)}}, yang.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	db, err := kv.Open(filepath.Join(dir, "store.db"), kv.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer db.Close()
	log, err := journal.Open(db, journal.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	store, err := datastore.Open(db, log, schema, datastore.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer store.Close()

	before := store.Snapshot()
	err = store.Update(context.Background(), func(tx *datastore.Tx) error {
		root := data.Build(schema.Root)
		root.Container("state").Entry("s", "1").Leaf("text", "it is down")
		tx.SetState(data.Merge(tx.State(), root.Node()))
		tx.Notify("NETCONF", data.Build(schema.Notification("m", "changed")).Leaf("what", "1").Node())
		return nil
	})
	fmt.Println(err)
	record, _ := log.Cursor(0).TryNext()
	fmt.Printf("%s\n", record.Body)
	fmt.Printf("%s\n", data.AppendChildrenXML(nil, store.Snapshot().Operational(), ""))
	fmt.Printf("a reader from before: %q\n", data.AppendChildrenXML(nil, before.Operational(), ""))
	// Output:
	// <nil>
	// <changed xmlns="urn:m"><what>1</what></changed>
	// <state xmlns="urn:m"><s><id>1</id><text>it is down</text></s></state>
	// a reader from before: ""
}
