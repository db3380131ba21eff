-- What was rejected, why, where was it read, and was it replayed?
-- Parameters, an empty text for all: $1, a reason; $2, a letter's name; $3, a tenant; $4, an event's
-- id; then $5, whether replayed ones are shown; $6, how many. Columns: the letter's name and what
-- `dead_letters` has of it.
WITH places AS (
    SELECT *, coalesce(source_app_id, '') AS app_id,
        concat_ws('/', source_topic, CAST(source_partition AS VARCHAR),
            CAST(source_offset AS VARCHAR), CAST(source_index AS VARCHAR)) AS letter
    FROM dead_letters
),
replays AS (
    SELECT app_id, letter, max(replayed_at) AS replayed_at
    FROM places
    WHERE replayed_at IS NOT NULL
    GROUP BY app_id, letter
)
SELECT p.letter, p.received_at, p.reason, p.message, p.namespace, p.source, p.event_id, p.tenant,
    r.replayed_at, p.occurred_at, p.size_bytes, p.identity_hash IS NOT NULL AS is_whole, p.event,
    p.sender, p.app_id, p.source_topic, p.source_partition, p.source_offset, p.source_index
FROM places p
LEFT JOIN replays r ON r.app_id = p.app_id AND r.letter = p.letter
WHERE p.replayed_at IS NULL
    AND ($1 = '' OR p.reason = $1)
    AND ($2 = '' OR p.letter = $2)
    AND ($3 = '' OR p.tenant = $3)
    AND ($4 = '' OR p.event_id = $4)
    AND ($5 OR r.replayed_at IS NULL)
ORDER BY p.received_at DESC, p.source_topic, p.source_partition, p.source_offset DESC,
    p.source_index
LIMIT $6
