package correlate

import "slices"

// Cause is a kind of cause, the class of a hypothesis.
type Cause uint8

// The causes.
const (
	EdgeFailure  Cause = iota // a fibre or a link
	NodeFailure               // a whole node
	CardFailure               // a line card with its ports
	PortFailure               // one port
	PowerFailure              // the power of a site
	IGPFailure                // the IGP of a node, most often its configuration
	SessionReset              // one protocol session
	AccessOutage              // a customer's equipment or its line
	Overload                  // the processor or memory of a node
	Degradation               // the quality of a link
	OpticalDrift              // the optical level of a section
	RoutingCrash              // the routing process of a node
	SyncLoss                  // the clock of a node
	Surge                     // traffic that comes together at a node
	Transaction               // a traced transaction
	Unknown                   // the object that complains, for want of better
	Impairment                // something that a test has found, and nothing else
	Interruption              // the same, where nothing arrives
	causes
)

var causeIDs = [causes]string{"edge", "node", "card", "port", "power", "igp", "session", "access", "overload", "degradation", "optical-drift",
	"routing-crash", "sync", "surge", "transaction", "unknown", "impairment", "interruption"}

// String returns the name of the cause in rule ids and explanations.
func (c Cause) String() string { return causeIDs[c] }

// ParseCause returns the cause of a name; false if there is none.
func ParseCause(s string) (Cause, bool) {
	i := slices.Index(causeIDs[:], s)
	return Cause(max(i, 0)), i >= 0
}

// Relation is a walk from where an alarm is to what may have caused it.
type Relation uint8

// The relations.
const (
	Self       Relation = iota // the resource itself
	OwnPort                    // the port of the alarm
	FarPort                    // the port at the other end of its edge
	OwnCard                    // the line card of the port
	FarCard                    // the line card of the far port
	OwnEdge                    // the edge at the port, whatever is under it
	BottomEdge                 // the edges at the bottom under the edge at the port
	OwnNode                    // the node of the alarm
	FarNode                    // the node at the other end
	PathNodes                  // the nodes that the edge's underlay passes
	OwnSite                    // the site of the node
	FarSite                    // the site of the far node
	PathSites                  // the sites of the path's nodes
	ClientPort                 // the port that stands on this port
	ClientCard                 // its line card
	ClientNode                 // its node
	ClientSite                 // its site
	AccessLine                 // the access edge at the port, or of the node
	PeerAccess                 // the access edge between the two ends of a session
	OwnSession                 // the session of the alarm
	PathEdges                  // the edges that the tunnel at the port is carried by
	relations
)

var relationNames = [relations]string{"self", "own-port", "far-port", "own-card", "far-card", "own-edge", "bottom-edge", "own-node", "far-node", "path-nodes", "own-site", "far-site", "path-sites", "client-port", "client-card", "client-node", "client-site", "access-line", "peer-access", "own-session", "path-edges"}

// String returns the name of the relation.
func (r Relation) String() string { return relationNames[r] }

// ParseRelation returns the relation of a name; false if there is none.
func ParseRelation(s string) (Relation, bool) {
	i := slices.Index(relationNames[:], s)
	return Relation(max(i, 0)), i >= 0
}

// Rule says that an alarm of a class speaks for a cause of a kind found by a relation.
type Rule struct {
	ID     string
	Class  Class
	Via    Relation
	Cause  Cause
	Weight int32 // thousandths of a nat
	// Root marks an alarm that speaks of the cause itself.
	Root bool
}

// Knowledge is the rule base: what speaks for a cause, and what speaks against it. It
// must not be changed once an engine uses it.
type Knowledge struct {
	Rules []Rule
	// Prior is the weight of a cause before any evidence.
	Prior [causes]int32
	// Against are the weights of what should be there and is not, all negative.
	Against Penalties
	// MarkBonus is added to a marked object in its window, CommitBonus to the IGP of a
	// node that was configured just before.
	MarkBonus, CommitBonus int32
	// FirstSpeaker is added to a port whose node complained first.
	FirstSpeaker int32
}

// Penalties are the weights of contradictions and of absent evidence, in thousandths
// of a nat.
type Penalties struct {
	SilentSectionEnd int32 // an end of a section without loss of signal
	SilentLinkEnd    int32 // an end of a link that says nothing
	SilentRider      int32 // a link over a failed section that says nothing
	SilentNeighbour  int32 // a far end of a failed node's edge that says nothing
	Alive            int32 // an alarm sent by a node thought dead
	NoCardAlarm      int32 // no alarm of the card itself
	SilentCardPort   int32 // a port of the card silent at both ends
	NoModuleAlarm    int32 // no alarm of the port's module
	NoClientLoss     int32 // no loss at the transponder of the port
	SilentPort       int32 // the port itself without link down
	SilentPortEnd    int32 // the other end of its edge without link down
	PortDown         int32 // a lost adjacency whose port is down, for the IGP
	NoAuthAlarm      int32 // no authentication failure, for the IGP
	NoPowerAlarm     int32 // no alarm of a power supply
	NoRestartAlarm   int32 // no alarm of the routing process
	PortUp           int32 // a lost adjacency whose port is up, for a node
}

// Weight is one of the weights that are no rule's, under the name that configuration has
// for it.
type Weight struct {
	Name  string
	Value *int32
}

// Weights returns the weights besides those of rules and causes, which are changed
// through them.
func (k *Knowledge) Weights() []Weight {
	p := &k.Against
	return []Weight{
		{"silent-section-end", &p.SilentSectionEnd},
		{"silent-link-end", &p.SilentLinkEnd},
		{"silent-rider", &p.SilentRider},
		{"silent-neighbour", &p.SilentNeighbour},
		{"alive", &p.Alive},
		{"no-card-alarm", &p.NoCardAlarm},
		{"silent-card-port", &p.SilentCardPort},
		{"no-module-alarm", &p.NoModuleAlarm},
		{"no-client-loss", &p.NoClientLoss},
		{"silent-port", &p.SilentPort},
		{"silent-port-end", &p.SilentPortEnd},
		{"port-down", &p.PortDown},
		{"no-auth-alarm", &p.NoAuthAlarm},
		{"no-power-alarm", &p.NoPowerAlarm},
		{"no-restart-alarm", &p.NoRestartAlarm},
		{"port-up", &p.PortUp},
		{"mark-bonus", &k.MarkBonus},
		{"commit-bonus", &k.CommitBonus},
		{"first-speaker", &k.FirstSpeaker},
	}
}

// Clone returns a copy to change.
func (k *Knowledge) Clone() *Knowledge {
	c := *k
	c.Rules = slices.Clone(k.Rules)
	return &c
}

// Set puts a rule in the place of the one of its class, relation and cause, or behind all
// if there is none. A rule of no weight takes that one away.
func (k *Knowledge) Set(r Rule) {
	same := func(o Rule) bool { return o.Class == r.Class && o.Via == r.Via && o.Cause == r.Cause }
	at := slices.IndexFunc(k.Rules, same)
	switch {
	case r.Weight == 0:
		k.Rules = slices.DeleteFunc(k.Rules, same)
	case at < 0:
		k.Rules = append(k.Rules, r)
	default:
		k.Rules[at] = r
	}
}

// DefaultKnowledge returns the rules that the engine knows from the start.
func DefaultKnowledge() *Knowledge {
	k := &Knowledge{
		Prior: [causes]int32{
			EdgeFailure: -3000, NodeFailure: -4000, CardFailure: -4000, PortFailure: -2000, PowerFailure: -3000, IGPFailure: -4000,
			SessionReset: -2000, AccessOutage: -2500, Overload: -1000, Degradation: -1500, OpticalDrift: -1500, RoutingCrash: -3000,
			SyncLoss: -2000, Surge: -1500, Transaction: 0, Unknown: -3500, Impairment: -1500, Interruption: -2000,
		},
		Against: Penalties{
			SilentSectionEnd: -2000, SilentLinkEnd: -1200, SilentRider: -1000, SilentNeighbour: -1500, Alive: -5000, NoCardAlarm: -3000,
			SilentCardPort: -1500, NoModuleAlarm: -500, NoClientLoss: -1000, SilentPort: -900, SilentPortEnd: -500, PortDown: -3000, NoAuthAlarm: -2000,
			NoPowerAlarm: -100_000, NoRestartAlarm: -2000, PortUp: -700,
		},
		MarkBonus: 4000, CommitBonus: 4000, FirstSpeaker: 300,
	}
	root := func(c Class, via Relation, h Cause, w int32) {
		k.Rules = append(k.Rules, Rule{ID: c.String() + "-" + h.String(), Class: c, Via: via, Cause: h, Weight: w, Root: true})
	}
	rule := func(c Class, via Relation, h Cause, w int32) {
		k.Rules = append(k.Rules, Rule{ID: c.String() + "-" + h.String(), Class: c, Via: via, Cause: h, Weight: w})
	}

	root(LossOfSignal, BottomEdge, EdgeFailure, 4000)
	rule(LossOfSignal, FarNode, NodeFailure, 3000)
	rule(LossOfSignal, FarSite, PowerFailure, 2500)
	rule(LossOfSignal, OwnPort, PortFailure, 1500)
	rule(LossOfSignal, FarPort, PortFailure, 1500)
	rule(ServerFail, BottomEdge, EdgeFailure, 1500)
	rule(ServerFail, PathNodes, NodeFailure, 1200)
	rule(ServerFail, PathSites, PowerFailure, 1200)
	rule(Protection, BottomEdge, EdgeFailure, 1500)
	rule(Protection, PathNodes, NodeFailure, 1000)
	rule(Protection, PathSites, PowerFailure, 1000)
	rule(ClientLoss, ClientPort, PortFailure, 3000)
	rule(ClientLoss, ClientCard, CardFailure, 3000)
	rule(ClientLoss, ClientNode, NodeFailure, 3000)
	rule(ClientLoss, ClientSite, PowerFailure, 2500)

	root(LinkDown, OwnPort, PortFailure, 2100)
	rule(LinkDown, FarPort, PortFailure, 2000)
	rule(LinkDown, OwnCard, CardFailure, 2000)
	rule(LinkDown, FarCard, CardFailure, 2000)
	rule(LinkDown, BottomEdge, EdgeFailure, 2000)
	rule(LinkDown, FarNode, NodeFailure, 2000)
	rule(LinkDown, PathNodes, NodeFailure, 1800)
	rule(LinkDown, FarSite, PowerFailure, 2000)
	rule(LinkDown, PathSites, PowerFailure, 1500)
	root(LinkDown, AccessLine, AccessOutage, 2800)
	for _, c := range []Class{BFD, Adjacency, LDP} {
		rule(c, OwnPort, PortFailure, 1000)
		rule(c, FarPort, PortFailure, 1000)
		rule(c, OwnCard, CardFailure, 1000)
		rule(c, FarCard, CardFailure, 1000)
		rule(c, BottomEdge, EdgeFailure, 1000)
		rule(c, FarNode, NodeFailure, 1000)
		rule(c, PathNodes, NodeFailure, 900)
		rule(c, FarSite, PowerFailure, 1000)
		rule(c, PathSites, PowerFailure, 800)
	}
	rule(Adjacency, OwnNode, IGPFailure, 1200)
	rule(Adjacency, FarNode, IGPFailure, 1200)
	rule(LDP, OwnNode, IGPFailure, 500)
	rule(LDP, FarNode, IGPFailure, 500)
	root(IGPAuth, OwnNode, IGPFailure, 2400)
	root(IGPAuth, FarNode, IGPFailure, 2500)
	rule(Adjacency, OwnNode, RoutingCrash, 1000)
	rule(Adjacency, FarNode, RoutingCrash, 1200)
	rule(LDP, FarNode, RoutingCrash, 1000)
	rule(BGP, FarNode, RoutingCrash, 1500)
	root(Restart, OwnNode, RoutingCrash, 6000)
	root(Module, OwnPort, PortFailure, 5000)
	rule(Module, OwnCard, CardFailure, 800)
	root(Card, Self, CardFailure, 6000)

	root(Mains, OwnSite, PowerFailure, 6000)
	root(Battery, OwnSite, PowerFailure, 6000)
	root(Gasp, OwnSite, PowerFailure, 2500)
	root(Gasp, OwnNode, NodeFailure, 3000)
	root(Gasp, AccessLine, AccessOutage, 4000)
	root(Unreachable, OwnNode, NodeFailure, 5000)
	rule(Unreachable, OwnSite, PowerFailure, 2500)
	root(Unreachable, AccessLine, AccessOutage, 3000)
	root(EdgeUnreachable, AccessLine, AccessOutage, 3000)
	root(EdgeUnreachable, OwnNode, NodeFailure, 2000)

	root(BGP, OwnSession, SessionReset, 3000)
	rule(BGP, PeerAccess, AccessOutage, 1500)
	rule(BGP, FarNode, NodeFailure, 1500)
	rule(BGP, FarSite, PowerFailure, 1000)

	root(CPU, OwnNode, Overload, 5000)
	root(Memory, OwnNode, Overload, 2500)
	rule(SlowTask, OwnNode, Overload, 1000)
	root(Errors, OwnEdge, Degradation, 4000)
	root(PacketLoss, OwnEdge, Degradation, 3000)
	rule(QueueDrop, OwnEdge, Degradation, 2000)
	rule(Utilisation, OwnEdge, Degradation, 1500)
	rule(PathDelay, OwnEdge, Degradation, 1000)
	rule(PathLoss, OwnEdge, Degradation, 1500)
	rule(PathDelay, PathEdges, Degradation, 600)
	rule(PathLoss, PathEdges, Degradation, 1000)
	root(OpticalPower, BottomEdge, OpticalDrift, 3500)
	rule(OpticalQuality, BottomEdge, OpticalDrift, 1200)
	root(Sync, OwnNode, SyncLoss, 4000)
	root(Supervision, Self, Impairment, 3000)
	rule(Supervision, Self, Interruption, 500)
	root(SupervisionLost, Self, Interruption, 4000)

	// What waited for its cause in vain speaks for a silent failure under it.
	rule(TunnelDown, BottomEdge, EdgeFailure, 700)
	for c := Other; c < classes; c++ {
		if !contextSet.has(c) {
			k.Rules = append(k.Rules, Rule{ID: c.String() + "-unknown", Class: c, Via: Self, Cause: Unknown, Weight: 1000, Root: true})
		}
	}
	for _, r := range []Rule{{Via: OwnPort, Cause: PortFailure}, {Via: FarPort, Cause: PortFailure}, {Via: OwnCard, Cause: CardFailure}, {Via: BottomEdge, Cause: EdgeFailure},
		{Via: FarNode, Cause: NodeFailure}, {Via: AccessLine, Cause: AccessOutage},
		{Via: OwnNode, Cause: NodeFailure}, {Via: ClientPort, Cause: PortFailure}, {Via: ClientCard, Cause: CardFailure}, {Via: ClientNode, Cause: NodeFailure}} {
		rule(Other, r.Via, r.Cause, 500)
	}
	return k
}
