-- What could not be counted, and why?
-- Columns:
--   reason: a stable code
--   letters: events
--   waiting: those that nobody has replayed
--   senders: how many sources they are from
--   first_received_at, last_received_at
SELECT reason,
    count(*) FILTER (WHERE replayed_at IS NULL) AS letters,
    count(*) FILTER (WHERE replayed_at IS NULL) - count(*) FILTER (WHERE replayed_at IS NOT NULL)
        AS waiting,
    count(DISTINCT source) AS senders,
    min(received_at) FILTER (WHERE replayed_at IS NULL) AS first_received_at,
    max(received_at) FILTER (WHERE replayed_at IS NULL) AS last_received_at
FROM dead_letters
GROUP BY reason
ORDER BY letters DESC, reason
