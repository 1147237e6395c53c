# Webhooks as their receivers see them: what is sent and how it is signed, repeats, order, a receiver that is gone, slow, or hostile.

use lib 't/lib';
use Campaign;
use Campaign::Sending;
use Test::Nginx::Socket 'no_plan';
use Digest::SHA qw(hmac_sha256_base64 hmac_sha256_hex);
use MIME::Base64 qw(decode_base64);
use Time::HiRes qw(time);

gateway(sub {
    my $r = shift;

    return 403 if $r->{path} =~ /refused/;
    return $r->{try} == 1 ? 500 : 200 if $r->{path} =~ m{\A/(?:once|order)};
    return 500 if $r->{path} =~ m{\A/never} && !$r->{told}{mended};
    return 410 if $r->{path} =~ m{\A/gone};
    return { status => 302, headers => ['Location: /_secret'] } if $r->{path} =~ m{\A/moved};
    return $r->{try} == 1 ? { status => 429, headers => ['Retry-After: 2'] } : 200 if $r->{path} =~ m{\A/later};
    return { until => 'ever' } if $r->{path} =~ m{\A/mute};
    return { headers => ['X-Accel-Redirect: /_secret', 'X-Accel-Limit-Rate: 1', 'X-Accel-Buffering: yes'] } if $r->{path} =~ m{\A/accel};
    return { body => 'x' x 3_000_000 } if $r->{path} =~ m{\A/long};
    return 200;
});

sub port { gateway()->port }

$Campaign::HttpConfig .= "campaign_retry attempts=1;\n";
$Campaign::Config = join '', channel('HEARD', 'receipts=off'), channel('REFUSED', ''), channel('ACCEPTED', ''), <<'END';
campaign_webhook /_webhook allow=127.0.0.1;
location /_webhook {
    internal;
    campaign_retry attempts=3 min=50ms max=100ms;
    proxy_pass $campaign_webhook_url;
    proxy_read_timeout 300ms;
    proxy_set_header Host $campaign_webhook_host;
    proxy_set_header Connection "";
    proxy_set_header Content-Type application/json;
    proxy_set_header X-Dexatel-Signature $campaign_webhook_signature;
    proxy_set_header webhook-id $campaign_webhook_id;
    proxy_set_header webhook-timestamp $campaign_webhook_timestamp;
    proxy_set_header webhook-signature $campaign_webhook_signature_v1;
    proxy_set_header Idempotency-Key $campaign_webhook_id;
    proxy_set_header X-Account $campaign_account;
    proxy_set_header X-To "$campaign_to";
}
location /_secret { internal; proxy_pass http://told/secret; }
END

my $paths = 0;

# a webhook of the account at a path of its own: the path
sub hook {
    my ($account, $event, $path, %fields) = @_;
    $path = "/$path" . ++$paths;
    my $w = $account->make('/webhooks', { url => 'http://127.0.0.1:' . port() . $path, event => $event, secret => 'top secret', %fields });
    return ($path, "/webhooks/$w->{id}");
}

# what came there: at least n requests
sub heard {
    my ($path, $n, $seconds) = @_;
    wait_for { @{[ gateway()->requests($path) ]} >= $n } $seconds;
    return gateway()->requests($path);
}

sub data { decode($_[0]{body})->{data} }

# waits until nothing waits at the webhook; it
sub quiet {
    my ($account, $at) = @_;
    wait_for { $account->get($at)->data->{waiting} == 0 };
    return $account->get($at)->data;
}

run_tests();

__DATA__

=== TEST 1: a delivery is told with the contract's fields, and signed
--- check
my $a = account();
my ($path, $at) = hook($a, 'delivery', 'ok');
my $c = start($a, 'HEARD', payload => "order \"7\"\n\x{e9}", to => ['+15551230001']);
my ($r, @more) = heard($path, 1);
is(scalar @more, 0, 'once');
is("$r->{method} $r->{header}{'content-type'}", 'POST application/json', 'as JSON');
is($r->{header}{host}, '127.0.0.1:' . port(), 'Host is that of the URL');
my $d = data($r);
like($d->{timestamp}, qr/\A\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\z/, 'timestamp');
like($d->{message_id}, uuid(), 'message_id');
is($a->get("/messages/$d->{message_id}")->data->{to}, '15551230001', 'is the message');
my %rest = map { $_ => $d->{$_} } grep { !/timestamp|message_id/ } keys %$d;
is_deeply(\%rest, { account_id => $a->id, campaign_id => $c->{id}, event => 'delivery', status => 'DELIVERED', reason => undef, channel => 'HEARD',
                    to => '15551230001', payload => "order \"7\"\n\x{e9}" }, 'fields');
is($r->{header}{'x-account'}, $a->id, '$campaign_account');
is($r->{header}{'x-to'}, undef, 'variables of a message are empty');
my $mac = hmac_sha256_base64($r->{body}, 'top secret');
$mac .= '=' while length($mac) % 4;
is($r->{header}{'x-dexatel-signature'}, $mac, 'X-Dexatel-Signature');
my $v1 = hmac_sha256_base64(join('.', @{ $r->{header} }{qw(webhook-id webhook-timestamp)}, $r->{body}), 'top secret');
$v1 .= '=' while length($v1) % 4;
is($r->{header}{'webhook-signature'}, "v1,$v1", 'webhook-signature');
cmp_ok(abs($r->{header}{'webhook-timestamp'} - time), '<', 30, 'webhook-timestamp');
my $w = quiet($a, $at);
is(join(' ', @$w{qw(waiting failed dropped last_result last_code)}), '0 0 0 delivered 200', 'the webhook shows the result');


=== TEST 2: signatures in hexadecimal, with a secret of Standard Webhooks, and none without a secret
--- check
my $a = account();
my $secret = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw';
my ($path, $at) = hook($a, 'delivery', 'ok', secret => $secret, signature => 'hex');
answered($a->post("$at/test"), 201, 'test');
my ($r) = heard($path, 1);
is($r->{header}{'x-dexatel-signature'}, hmac_sha256_hex($r->{body}, $secret), 'hex');
my $v1 = hmac_sha256_base64(join('.', @{ $r->{header} }{qw(webhook-id webhook-timestamp)}, $r->{body}), decode_base64(substr $secret, 6));
$v1 .= '=' while length($v1) % 4;
is($r->{header}{'webhook-signature'}, "v1,$v1", 'its key is the decoded secret');
is(join(' ', @{ data($r) }{qw(event account_id)}), 'test ' . $a->id, 'a test says so');
is($a->put($at, { secret => '' })->data->{signed} ? 1 : 0, 0, 'no secret');
$a->post("$at/test");
(undef, $r) = heard($path, 2);
is($r->{header}{'x-dexatel-signature'}, undef, 'no signature');
is($r->{header}{'webhook-signature'}, undef, 'of either kind');


=== TEST 3: every end of a message is told: accepted, delivered, failed with its reason
--- check
for (['ACCEPTED', 'SENT', undef], ['HEARD', 'DELIVERED', undef], ['REFUSED', 'FAILED', 'gateway_4xx']) {
    my ($channel, $status, $reason) = @$_;
    my $a = account();
    my ($path) = hook($a, 'delivery', 'ok');
    settled($a, start($a, $channel, to => [numbers(30)]));
    my @r = heard($path, 30);
    is(scalar @r, 30, "$channel: one for each message");
    my %to = map { data($_)->{to} => 1 } @r;
    is(scalar keys %to, 30, 'each its own');
    is(join(',', map { $_ // 'null' } @{ data($r[0]) }{qw(status reason)}), join(',', $status, $reason // 'null'), "$channel: $status");
}


=== TEST 4: a campaign's changes are told in their order, though the first one has to be repeated
--- check
my $a = account();
my ($path) = hook($a, 'campaign', 'order');
my $c = start($a, 'HEARD', name => 'Spring "26"', payload => 'p');
my @r = heard($path, 4);
my %seen;
my @told = map { $seen{ $_->{id} }++ ? data($_)->{status} : () } @r;
is("@told", 'IN_PROGRESS COMPLETED', 'each was refused once, and both came in their order');
is(join(' ', map { data($_)->{status} } @r), 'IN_PROGRESS IN_PROGRESS COMPLETED COMPLETED', 'nor was the second one tried before');
my $d = data($r[-1]);
delete $d->{timestamp};
is_deeply($d, { account_id => $a->id, campaign_id => $c->{id}, event => 'campaign', status => 'COMPLETED', name => 'Spring "26"', channel => 'HEARD', payload => 'p' }, 'fields');


=== TEST 5: what failed is tried again with the same id, fails for good, and can be replayed
--- check
my $a = account();
my ($path, $at) = hook($a, 'delivery', 'once');
my $id = $a->post("$at/test")->data->{id};
my @r = heard($path, 2);
is(join(' ', map { $_->{header}{'webhook-id'} } @r), "$id $id", 'the same id');
is(quiet($a, $at)->{last_result}, 'delivered', 'and it arrived');

my ($never, $there) = hook($a, 'campaign', 'never');
$id = $a->post("$there/test")->data->{id};
@r = heard($never, 3);
my $w = quiet($a, $there);
is(join(' ', @$w{qw(waiting failed last_result last_code)}), '0 1 status 500', 'three tries, then no more');
my $d = $a->get("$there/deliveries?filter[status]=failed")->data->[0];
is(join(' ', @$d{qw(id status attempts last_result last_code)}), "$id failed 3 status 500", 'it is kept');
is(scalar @{ $a->get("$there/deliveries?filter[status]=waiting")->data }, 0, 'and does not wait');
is($a->post("$there/replay", { from => '2020-01-01 00:00:00', to => '2020-01-02 00:00:00' })->data->{replayed}, 0, 'a replay of another time');
gateway()->tell('mended');
is($a->post("$there/replay", { from => '2020-01-01 00:00:00', to => '2099-01-02 00:00:00' })->data->{replayed}, 1, 'a replay');
@r = heard($never, 4);
is($r[3]{header}{'webhook-id'}, $id, 'sends it again');
$w = quiet($a, $there);
is(join(' ', @$w{qw(waiting failed last_result)}), '0 0 delivered', 'and it arrived');


=== TEST 6: 410 disables a webhook, which waits until it is active again
--- check
my $a = account();
my ($path, $at) = hook($a, 'delivery', 'gone');
$a->post("$at/test");
heard($path, 1);
wait_for { $a->get($at)->data->{status} eq 'disabled' };
my $w = $a->get($at)->data;
is(join(' ', @$w{qw(status failed last_code)}), 'disabled 1 410', 'after one try');
settled($a, start($a, 'HEARD'));
is($a->get($at)->data->{waiting}, 0, 'a disabled webhook collects nothing');
answered($a->put($at, { status => 'active', url => 'http://127.0.0.1:' . port() . '/back' }), 200, 'active, at another URL');
$a->post("$at/replay", { from => '2020-01-01 00:00:00', to => '2099-01-02 00:00:00' });
is(scalar @{[ heard('/back', 1) ]}, 1, 'hears again');


=== TEST 7: a redirect, an X-Accel header, silence and a huge reply
--- check
my $a = account();
my ($moved, $at) = hook($a, 'delivery', 'moved');
$a->post("$at/test");
heard($moved, 3);
my $w = quiet($a, $at);
is(join(' ', @$w{qw(failed last_result last_code)}), '1 status 302', 'a redirect is a failure');
my ($accel, $there) = hook($a, 'campaign', 'accel');
$a->post("$there/test");
heard($accel, 3);
is(quiet($a, $there)->{failed}, 1, 'so is X-Accel-Redirect');
my ($long, $here) = hook($a, 'message', 'long');
$a->post("$here/test");
heard($long, 1);
is(quiet($a, $here)->{last_result}, 'delivered', 'a huge reply is thrown away');
is(scalar @{[ gateway()->requests('/secret') ]}, 0, 'no internal location was reached');
my $b = account();
my ($mute, $to) = hook($b, 'delivery', 'mute');
$b->post("$to/test");
heard($mute, 3);
$w = quiet($b, $to);
is(join(' ', $w->{failed}, $w->{last_result}, $w->{last_code} // 'null'), '1 timeout null', 'silence is a timeout');
my ($closed, $nobody) = hook($b, 'campaign', 'x');
$b->put($nobody, { url => 'http://127.0.0.1:9/' });
$b->post("$nobody/test");
wait_for { $b->get($nobody)->data->{failed} };
is($b->get($nobody)->data->{last_result}, 'unreachable', 'nobody listens');


=== TEST 8: Retry-After is obeyed
--- check
my $a = account();
my ($path, $at) = hook($a, 'delivery', 'later');
$a->post("$at/test");
heard($path, 1);
wait_for { $a->get($at)->data->{last_code} };
my $w = $a->get($at)->data;
is(join(' ', $w->{waiting}, $w->{last_code}), '1 429', 'it waits');
like($w->{next_date}, qr/\A\d{4}-/, 'and the next try has its date');
my @r = heard($path, 2);
cmp_ok($r[1]{time} - $r[0]{time}, '>=', 1.99, 'two seconds at least');


=== TEST 9: a dead receiver holds up nobody else's
--- check
my @dead = map { account() } 1 .. 3;
for my $account (@dead) {
    my ($path, $at) = hook($account, 'delivery', 'mute');
    $account->post("$at/test") for 1 .. 30;
}
my $b = account();
my ($path, $at) = hook($b, 'delivery', 'ok');
my $begun = time;
settled($b, start($b, 'HEARD', to => [numbers(200)]));
my @r = heard($path, 200);
my $took = time - $begun;
is(scalar @r, 200, 'all of a healthy one');
cmp_ok($took, '<', 5, 'in no time') or diag sprintf '%.1f s', $took;
$_->delete('/webhooks/' . $_->get('/webhooks')->data->[0]{id}) for @dead;
is(quiet($b, $at)->{failed}, 0, 'and none of its failed');
