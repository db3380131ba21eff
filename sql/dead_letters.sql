-- What was rejected, why, and where was it read?
-- Parameters: $1, a reason or an empty text for all; $2, how many. Columns: as `dead_letters` has them.
SELECT received_at, reason, message, namespace, source, event_id, tenant, source_topic,
    source_partition, source_offset, source_index
FROM dead_letters
WHERE $1 = '' OR reason = $1
ORDER BY received_at DESC, source_topic, source_partition, source_offset DESC, source_index
LIMIT $2
