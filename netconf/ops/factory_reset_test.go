package ops_test

import (
	"context"
	"testing"

	"incidentd/datastore"
	"incidentd/netconf/netconftest"
	"incidentd/yang/data"
)

func TestFactoryReset(t *testing.T) {
	netconftest.Play(t, "testdata/factory/*.txt", *update, netconftest.Config{Setup: func(b *netconftest.Bench) {
		networks := b.Schema.Root.Child(b.Schema.Module("ietf-network"), "networks")
		n := data.Build(networks)
		n.Entry("network", "as delivered")
		err := b.Store.Update(context.Background(), func(tx *datastore.Tx) error {
			tx.By(datastore.Author{User: "admin", Source: "init"})
			config := data.New(b.Schema.Root).With(n.Node())
			tx.SetRunning(config)
			tx.SetFactoryDefault(config)
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}})
}
