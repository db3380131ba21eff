-- What was rejected, why, where was it read, and was it replayed?
-- Parameters:
--   reason: a reason; empty for all
--   letter: a letter's name; empty for all
--   tenant: a tenant; empty for all
--   event_id: an event's id; empty for all
--   replayed: whether replayed ones are shown, true or false
--   count: how many at most, a number
-- Columns:
--   letter: its name
--   received_at, reason, message, namespace, source, event_id, tenant, replayed_at, occurred_at
--   size_bytes
--   is_whole: whether everything of the event was read
--   event, sender, app_id, source_topic, source_partition, source_offset, source_index
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
