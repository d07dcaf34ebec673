# SPDX-License-Identifier: LGPL-2.1-or-later
# Completion of procfun(1) for fish: commands, options, files, the names of functions, and the processes that can be
# monitored. No program with functions is executed for it.

# The words of the command line that are no options.
function __procfun_words
    string match -v -- '-*' (commandline -opc)
end

function __procfun_needs_command
    test (count (__procfun_words)) -eq 1
end

function __procfun_functions
    set -l words (__procfun_words)
    test (count $words) -ge 3; and procfun list --names -- $words[3] 2>/dev/null
end

function __procfun_pids
    set -l runtime $XDG_RUNTIME_DIR
    test -n "$runtime"; or set runtime $HOME/.cache
    for socket in $runtime/procfun/*.sock
        basename $socket .sock
    end
end

function __procfun_in
    set -l words (__procfun_words)
    contains -- "$words[2]" $argv
end

function __procfun_needs_function
    __procfun_in bench call map; and test (count (__procfun_words)) -eq 3
end

complete -c procfun -n __procfun_needs_command -f -a bench -d 'Measure how long calls of a function take'
complete -c procfun -n __procfun_needs_command -f -a call -d 'Call a function in a process of its own'
complete -c procfun -n __procfun_needs_command -f -a engine -d 'Prepare where calls wait for other machines'
complete -c procfun -n __procfun_needs_command -f -a hosts -d 'Check which hosts can be reached'
complete -c procfun -n __procfun_needs_command -f -a list -d 'List the functions of a program or library'
complete -c procfun -n __procfun_needs_command -f -a map -d 'Call a function for each line of stdin'
complete -c procfun -n __procfun_needs_command -f -a monitor -d 'Show what a running program does'
complete -c procfun -n __procfun_needs_command -f -a worker -d 'Take calls from another machine'
complete -c procfun -s V -l version -d 'Print the version'
complete -c procfun -l help -d 'Say more'
complete -c procfun -n __procfun_needs_function -f -a '(__procfun_functions)'
complete -c procfun -n '__procfun_in engine' -f -a setup
complete -c procfun -n '__procfun_in monitor' -f -a '(__procfun_pids)'

complete -c procfun -n '__procfun_in list call bench hosts monitor' -l json -d 'Print JSON'
complete -c procfun -n '__procfun_in list' -l names -d 'Print names, and execute nothing'
complete -c procfun -n '__procfun_in call map' -s t -l timeout -x -d 'End the function when it has run for so long'
complete -c procfun -n '__procfun_in hosts' -s t -l timeout -x -d 'Give up a host that does not answer'
complete -c procfun -n '__procfun_in call map bench worker' -l on -x -a 'ssh: local srun docker: podman: kubectl: nats: tls:' -d 'Run it on these machines'
complete -c procfun -n '__procfun_in worker' -l slots -x -d 'Calls that it runs at once'
complete -c procfun -n '__procfun_in call map' -s m -l memory -x -d 'Let the function use no more memory'
complete -c procfun -n '__procfun_in call map' -s c -l cpu-time -x -d 'Let the function use no more CPU time'
complete -c procfun -n '__procfun_in call map' -s l -l limits -x -d 'Limits by name'
complete -c procfun -n '__procfun_in call map' -s R -l raw-input -d 'Strings as they are, not JSON'
complete -c procfun -n '__procfun_in call map' -s r -l raw-output -d 'Print strings as they are'
complete -c procfun -n '__procfun_in call' -s d -l deadline -x -d 'End the call so long after its submission'
complete -c procfun -n '__procfun_in call' -l sandbox -x -a 'no-new-privs no-network read-only pure-compute' -d 'What the function can reach'
complete -c procfun -n '__procfun_in call' -l writable -x -a '(__fish_complete_directories)' -d 'A folder that is not read-only'
complete -c procfun -n '__procfun_in call' -l readable -x -a '(__fish_complete_directories)' -d 'Read nothing but this folder'
complete -c procfun -n '__procfun_in call' -s e -l executor -x -a 'spawn fork pool inline' -d 'Where to run it'
complete -c procfun -n '__procfun_in call' -l codec -x -a 'json gvariant' -d 'How values are written'
complete -c procfun -n '__procfun_in call' -s u -l usage -d 'Print what the call used'
complete -c procfun -n '__procfun_in call' -s T -l trace -d 'Print a failure in full'
complete -c procfun -n '__procfun_in map' -s a -l arg-file -r -d 'Read lines from a file'
complete -c procfun -n '__procfun_in map' -s 0 -l null -d 'NUL bytes are between lines'
complete -c procfun -n '__procfun_in map' -l colsep -x -d 'What separates the fields of a line'
complete -c procfun -n '__procfun_in map' -l csv -d 'Comma-separated values'
complete -c procfun -n '__procfun_in map' -l tsv -d 'Tab-separated values'
complete -c procfun -n '__procfun_in map' -l header -d 'The first line names the fields'
complete -c procfun -n '__procfun_in map' -l tag -d 'Print each result after its line'
complete -c procfun -n '__procfun_in map' -l unordered -d 'Print results as they come'
complete -c procfun -n '__procfun_in map' -l results -r -d 'Write results into files'
complete -c procfun -n '__procfun_in map' -l eta -d 'Show how long it will take'
complete -c procfun -n '__procfun_in map' -l dry-run -d 'Call nothing'
complete -c procfun -n '__procfun_in map' -s j -l jobs -x -d 'Number of processes'
complete -c procfun -n '__procfun_in map' -l retries -x -d 'Call again what failed'
complete -c procfun -n '__procfun_in map' -l delay -x -d 'Time between the starts of calls'
complete -c procfun -n '__procfun_in map' -l memfree -x -d 'Memory that must be available'
complete -c procfun -n '__procfun_in map' -l halt -x -a 'never now,fail=1 soon,fail=1 soon,fail=3%' -d 'When to end early'
complete -c procfun -n '__procfun_in map' -s s -l stop-on-error -d 'End with the first line that fails'
complete -c procfun -n '__procfun_in map' -l joblog -r -d 'Write a log'
complete -c procfun -n '__procfun_in map' -l resume -d 'Leave out what the log has'
complete -c procfun -n '__procfun_in map' -l resume-failed -d 'Leave out what has succeeded'
complete -c procfun -n '__procfun_in bench' -s n -l calls -x -d 'Number of calls'
complete -c procfun -n '__procfun_in bench' -s p -l parallel -x -d 'Calls at a time'
complete -c procfun -n '__procfun_in bench' -s e -l executor -x -a 'fork pool spawn' -d 'Measure this executor alone'
complete -c procfun -n '__procfun_in monitor' -s o -l once -d 'Print it once'
complete -c procfun -n '__procfun_in monitor' -l openmetrics -d 'Print the format of OpenMetrics'
