-- Which rows were changed after they were billed, by whom and why, and what did it make of them?
-- Columns:
--   revision_id, changed_at, changed_by, change_reason
--   tenant: a row that moved to another one is a call of both
--   calls
--   before_usd, after_usd
SELECT revision_id, changed_at, changed_by, change_reason, tenant,
    count(DISTINCT identity_hash) AS calls,
    sum(cost_usd) FILTER (WHERE side = 'before') AS before_usd,
    sum(cost_usd) FILTER (WHERE side = 'after') AS after_usd
FROM call_revisions
GROUP BY revision_id, changed_at, changed_by, change_reason, tenant
ORDER BY changed_at, revision_id, tenant
