-- Local accounts and sign-ins. The first half is the administrator's, the second what is asked at the door.

-- name: add_account
select ops.add_account(p_subject => %(subject)s);

-- name: disable_account
select ops.disable_account(p_subject => %(subject)s, p_disabled => %(disabled)s);

-- name: add_sign_in_link
select ops.add_sign_in_link(p_subject => %(subject)s, p_sha256 => %(sha256)s, p_lifetime => %(lifetime)s);

-- name: set_password
select ops.set_password(p_subject => %(subject)s, p_salt => %(salt)s, p_cost => %(cost)s, p_proof => %(proof)s);

-- name: list_accounts
select subject, has_password, created_at, disabled_at, sessions, last_sign_in from ops.list_accounts();

-- name: sign_in_challenge
select salt, cost, wait_seconds
from ops.sign_in_challenge(p_subject => %(subject)s, p_address => %(address)s, p_cost => %(cost)s);

-- name: sign_in
select ops.sign_in(
    p_subject => %(subject)s, p_proof => %(proof)s, p_session_sha256 => %(session_sha256)s, p_lifetime => %(lifetime)s,
    p_address => %(address)s, p_user_agent => %(user_agent)s
);

-- name: link_subject
select ops.link_subject(p_sha256 => %(sha256)s);

-- name: use_sign_in_link
select ops.use_sign_in_link(
    p_sha256 => %(sha256)s, p_salt => %(salt)s, p_cost => %(cost)s, p_proof => %(proof)s,
    p_session_sha256 => %(session_sha256)s, p_lifetime => %(lifetime)s, p_address => %(address)s,
    p_user_agent => %(user_agent)s
);

-- name: session_subject
select ops.session_subject(p_sha256 => %(sha256)s);

-- name: login_holds
select ops.login_holds(
    p_sha256 => %(sha256)s, p_subject => %(subject)s, p_expires_at => %(expires_at)s, p_address => %(address)s,
    p_user_agent => %(user_agent)s
);

-- name: sign_out
select ops.sign_out(p_sha256 => %(sha256)s);
