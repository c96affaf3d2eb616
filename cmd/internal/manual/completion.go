package manual

import "strings"

// Shells are those that Completion has a script for.
var Shells = []string{"bash", "zsh", "fish"}

// Completion is the script by which a shell completes the command line of a program. It asks
// the program's command complete, with the line up to the cursor, which answers with one
// candidate a line and a tab before its description; one that may go on at once ends in no
// blank, others do. Without candidates the shell offers files.
func Completion(shell, program string) string {
	return strings.ReplaceAll(scripts[shell], "PROGRAM", program)
}

var scripts = map[string]string{
	// Bash takes words apart at = and :, and replaces what is behind them only.
	"bash": `_PROGRAM() {
    local line=${COMP_LINE:0:COMP_POINT} word candidate
    word=${line##*[[:space:]]}
    local cut=${word%"${word##*[=:]}"}
    COMPREPLY=()
    while IFS=$'\t' read -r candidate _; do
        COMPREPLY+=("${candidate#"$cut"}")
    done < <(PROGRAM complete "$line" 2>/dev/null)
}
complete -o nospace -o default -F _PROGRAM PROGRAM
`,
	"zsh": `#compdef PROGRAM
_PROGRAM() {
    local line candidate description
    local -a open closed
    for line in "${(@f)$(PROGRAM complete "${(j: :)words[1,CURRENT-1]} ${PREFIX}" 2>/dev/null)}"; do
        candidate=${line%%$'\t'*} description=${line#*$'\t'}
        if [[ $candidate == *' ' ]]; then
            closed+=("${candidate% }")
        elif [[ -n $candidate ]]; then
            open+=("$candidate")
        fi
    done
    (( $#open )) && compadd -S '' -a open
    (( $#closed )) && compadd -a closed
    (( $#open + $#closed )) || _files
}
if [ "$funcstack[1]" = _PROGRAM ]; then
    _PROGRAM "$@"
else
    compdef _PROGRAM PROGRAM
fi
`,
	"fish": `function __PROGRAM
    for line in (PROGRAM complete (commandline -cp) 2>/dev/null)
        string replace -r ' \t' '\t' -- $line
    end
end
complete -c PROGRAM -f -a '(__PROGRAM)'
`,
}
