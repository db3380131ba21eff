-- Which senders used an event id again for another call?
-- Columns:
--   namespace, source, tenant: as far as they are known
--   letters: events that were put aside; the row that was there first stays
--   waiting: those that nobody has replayed
--   first_received_at, last_received_at
SELECT namespace, source, tenant,
    count(*) FILTER (WHERE replayed_at IS NULL) AS letters,
    count(*) FILTER (WHERE replayed_at IS NULL) - count(*) FILTER (WHERE replayed_at IS NOT NULL)
        AS waiting,
    min(received_at) FILTER (WHERE replayed_at IS NULL) AS first_received_at,
    max(received_at) FILTER (WHERE replayed_at IS NULL) AS last_received_at
FROM dead_letters
WHERE reason = 'conflict'
GROUP BY namespace, source, tenant
ORDER BY letters DESC, namespace, source, tenant
