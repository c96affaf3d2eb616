package schedule

import "fmt"

// Frequency is the unit of the steps of a recurrence.
type Frequency uint8

// The frequencies, named as the identities of ietf-schedule. Once is that of no
// recurrence.
const (
	Once Frequency = iota
	Secondly
	Minutely
	Hourly
	Daily
	Weekly
	Monthly
	Yearly
)

var frequencies = [...]string{"once", "secondly", "minutely", "hourly", "daily", "weekly", "monthly", "yearly"}

func (f Frequency) String() string {
	if int(f) < len(frequencies) {
		return frequencies[f]
	}
	return fmt.Sprintf("Frequency(%d)", f)
}

// ParseFrequency returns the frequency of an identity's name, with or without its module.
func ParseFrequency(name string) (Frequency, error) {
	for f := Secondly; f <= Yearly; f++ {
		if name == f.String() || name == "ietf-schedule:"+f.String() {
			return f, nil
		}
	}
	return Once, fmt.Errorf("%q is no frequency that this server has", name)
}

const secondsPerDay = 86400

// seconds is the length of a step where that is elapsed time, 0 elsewhere.
func (f Frequency) seconds() int64 {
	switch f {
	case Secondly:
		return 1
	case Minutely:
		return 60
	case Hourly:
		return 3600
	}
	return 0
}

// days is the length of a step of days.
func (f Frequency) days() int64 {
	switch f {
	case Daily:
		return 1
	case Weekly:
		return 7
	}
	return 0
}

// months is the length of a step of months.
func (f Frequency) months() int64 {
	switch f {
	case Monthly:
		return 1
	case Yearly:
		return 12
	}
	return 0
}
