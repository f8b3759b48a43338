#!/bin/sh
# tools/step.sh NAME COMMAND...: says what runs, and when it fails, which step failed and how to repeat it alone.
name=$1
shift
printf '== %s\n' "$name"
"$@" || {
    status=$?
    printf '\nFAILED: %s\nWhat to do: see the lines above; to repeat this step alone: %s\n' "$name" "$*" >&2
    exit "$status"
}
