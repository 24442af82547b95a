# Prints, tells how far it is, and goes on where the attempt before has stopped.
echo "page ${QSUPER_STATE:-none} of job $QSUPER_JOB_ID, attempt $QSUPER_ATTEMPT"
if [ "$QSUPER_ATTEMPT" = 1 ]; then
    echo '{"progress": 0.5, "text": "half way"}' >&3
    echo '{"state": {"page": 5}}' >&3
    echo '{"retry_in": 0}' >&3
    echo "no ink" >&2
    exit 3
fi
echo "{\"result\": {\"param\": $1, \"state\": $QSUPER_STATE}}" >&3
