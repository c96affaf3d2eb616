package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	"incidentd/netconf/client"
	"incidentd/yang/rpcerr"
)

// advise is what the user is told of an error: all of it, and what to do next.
func (a *app) advise(ctx context.Context, err error) string {
	text := err.Error()
	list, known := rpcerr.List(err)
	var several rpcerr.Errors
	var where *located
	if errors.As(err, &several) && !errors.As(err, &where) && text == several.Error() {
		lines := make([]string, len(several))
		for i, e := range several {
			lines[i] = e.Error()
		}
		text = strings.Join(lines, "\n")
	}
	if !known {
		if errors.Is(err, client.ErrClosed) && ctx.Err() == nil {
			text += "\nThe server has ended the session, or the network the connection."
		}
		return text
	}
	told := map[string]bool{}
	for _, e := range list {
		if line := a.remedy(ctx, e); line != "" && !told[line] {
			told[line] = true
			text += "\n" + line
		}
	}
	return text
}

// What the text of an error may name.
var (
	accessOperation = regexp.MustCompile(`\b(create|read|update|delete)\b`)
	sessionNumber   = regexp.MustCompile(`\bsession (\d+)\b`)
	operationName   = regexp.MustCompile(`\b[a-z][\w.-]*:[a-z][\w.-]*\b`)
)

// remedy is what to do about one error of the server, "" when it says that itself.
func (a *app) remedy(ctx context.Context, e *rpcerr.Error) string {
	switch e.Tag {
	case rpcerr.TagAccessDenied:
		operation, on := "exec", cmp.Or(operationName.FindString(e.Message), "MODULE:OPERATION")
		if e.Path.Expr != "" {
			operation, on = cmp.Or(accessOperation.FindString(e.Message), "update"), shellQuote(e.Path.Expr)
		}
		return fmt.Sprintf("Which rule decides: incctl nacm explain %s %s %s", a.user, operation, on)
	case rpcerr.TagLockDenied, rpcerr.TagInUse:
		for _, i := range e.Info {
			if i.Name == "session-id" {
				return a.holder(ctx, i.Value)
			}
		}
		if m := sessionNumber.FindStringSubmatch(e.Message); m != nil {
			return a.holder(ctx, m[1])
		}
		if runUnderWay.MatchString(e.Message) {
			return "incctl oam stop ends it; incctl oam run --wait waits for it."
		}
		return "incctl sessions shows who holds which lock."
	case rpcerr.TagOperationNotSupported:
		return "incctl capabilities shows what this server does."
	}
	return ""
}

// shellQuote writes a text as one word of a shell.
func shellQuote(text string) string {
	if !strings.ContainsAny(text, "\"$`\\!") {
		return `"` + text + `"`
	}
	return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'"
}

// holder says who a session is that is in the way.
func (a *app) holder(ctx context.Context, id string) string {
	if id == "0" || id == "" {
		return "No session holds it: either the candidate has changes (incctl diff; commit or discard ends that), or a confirmed commit waits (incctl history; commit confirm or cancel-commit ends that)."
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	hint := fmt.Sprintf("incctl kill-session %s would end it.", id)
	s, err := a.dial(ctx)
	if err != nil {
		return "It is held by session " + clean(id) + "; " + hint
	}
	defer s.close()
	list, err := s.sessions(ctx)
	for _, p := range list {
		if err == nil && strconv.FormatUint(uint64(p.ID), 10) == id {
			if p.Own {
				return "It is held by this session itself; incctl unlock releases it."
			}
			from := ""
			if p.Host != "" {
				from = " from " + clean(p.Host)
			}
			return fmt.Sprintf("It is held by session %s: %s%s, since %s; %s", clean(id), clean(p.User), from, a.screen().whenLong(p.Since), hint)
		}
	}
	return "It was held by session " + clean(id) + ", which is gone; try again."
}
