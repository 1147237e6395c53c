# Webhooks as a resource: created, listed, changed, tested, deleted; their events, and a replay.  Nothing is sent here: see webhook_delivery.t.

use lib 't/lib';
use Campaign;
use Test::Nginx::Socket 'no_plan';

sub hook { { url => 'https://hooks.example.com/sms', event => 'delivery', @_ } }

run_tests();

__DATA__

=== TEST 1: a webhook is shown as the contract has it, its secret never is
--- check
my $a = account();
my $r = $a->post('/webhooks', hook(url => 'HTTPS://Hooks.Example.com:443/sms?x=1', event => 'DELIVERY', secret => 'verysecret7', signature => 'HEX'));
answered($r, 201, 'created');
my $w = $r->data;
like($w->{id}, uuid(), 'id');
my %shown = map { $_ => $w->{$_} } qw(account_id url event signature status waiting failed dropped last_date last_result last_code next_date);
is_deeply(\%shown, { account_id => $a->id, url => 'https://hooks.example.com/sms?x=1', event => 'delivery', signature => 'hex', status => 'active',
                     waiting => 0, failed => 0, dropped => 0, last_date => undef, last_result => undef, last_code => undef, next_date => undef }, 'fields');
is_deeply($w->{links}, { self => "/v1/webhooks/$w->{id}", account => '/v1/accounts/' . $a->id }, 'links');
is($w->{signed} ? 1 : 0, 1, 'it has a secret');
is_deeply($a->get("/webhooks/$w->{id}")->data, $w, 'and it is read back as it was created');
my $plain = $a->post('/webhooks', { url => 'http://203.0.112.1:8080', event => 'Message' })->data;
is(join(' ', @$plain{qw(url event signature)}, $plain->{signed} ? 1 : 0), 'http://203.0.112.1:8080/ message base64 0', 'defaults');
my $all = join '', map { $_->body } $r, $a->get('/webhooks'), $a->get("/webhooks/$w->{id}"), $a->put("/webhooks/$w->{id}", { status => 'active' });
unlike($all, qr/verysecret7|"secret"/, 'no reply has the secret');


=== TEST 2: all wrong fields of a webhook come in one reply
--- check
my $a = account();
refused($a->post('/webhooks', {}), 400, [1204, 1206], 'nothing given');
refused($a->post('/webhooks', { url => '', event => undef }), 400, [1204, 1206], 'empty and null are nothing');
refused($a->post('/webhooks', '{"x":1}'), 400, 1203, 'no data');
refused($a->post('/webhooks', hook(url => 'ftp://example.com/', event => 'sms', secret => 5, signature => 'md5')), 400, [1207, 1209, 1211, 1212], 'all wrong');
refused($a->post('/webhooks', hook(url => 'http://example.com/' . 'x' x 2065)), 400, 1208, '2084 bytes');
answered($a->post('/webhooks', hook(url => 'http://example.com/' . 'x' x 2064)), 201, '2083 bytes');
refused($a->post('/webhooks', hook(event => $_)), 400, 1207, 'event ' . json($_)) for 'test', 'deliveries', 5, ['delivery'], '';
refused($a->post('/webhooks', hook(secret => $_)), 400, 1211, 'secret ' . json(substr $_, 0, 10)) for "a\nb", "a\rb", "a\tb", "a\x{7f}", "\x{1}", 's' x 256;
refused($a->post('/webhooks', hook(url => $_)), 400, 1209, 'url ' . json($_)) for 5, ['x'], 'x', 'http://';
is($a->get('/webhooks')->page->{total}, 1, 'only one was created');
answered($a->post('/webhooks', hook(event => 'message', secret => "\x{e9}" x 255)), 201, 'a secret of 255 characters');


=== TEST 3: an account has one webhook for each event
--- check
my ($a, $b) = (account(), account());
my $w = $a->make('/webhooks', hook());
refused($a->post('/webhooks', hook(url => 'http://example.org/')), 409, 1210, 'once more');
answered($a->post('/webhooks', hook(event => $_)), 201, $_) for qw(message campaign);
answered($b->post('/webhooks', hook()), 201, 'another account');
is(join(' ', map { $_->{event} } @{ $a->get('/webhooks')->data }), 'campaign message delivery', 'all, newest first');
refused($a->put("/webhooks/$w->{id}", { event => 'campaign' }), 409, 1210, 'nor by a change');
answered($a->delete("/webhooks/$w->{id}"), 204, 'deleted');
refused($a->get("/webhooks/$w->{id}"), 404, 1201, 'is gone');
refused($a->delete("/webhooks/$w->{id}"), 404, 1201, 'once');
answered($a->post('/webhooks', hook()), 201, 'and its event is free');
my $r = $a->get('/webhooks?page_size=2');
is(scalar @{ $r->data }, 2, 'page by page');
is(scalar @{ $a->get($r->page->{links}{next})->data }, 1, 'to the last');


=== TEST 4: a change sets what it gives, and keeps the rest
--- check
my $a = account();
my $w = $a->make('/webhooks', hook(secret => 'one', signature => 'hex'));
my $at = "/webhooks/$w->{id}";
is_deeply($a->put($at, { url => 'http://Example.net' })->data->{url}, 'http://example.net/', 'url');
my $now = $a->patch($at, { event => 'campaign' })->data;
is(join(' ', @$now{qw(url event signature status)}, $now->{signed} ? 1 : 0), 'http://example.net/ campaign hex active 1', 'event');
is($a->put($at, { signature => 'base64' })->data->{signature}, 'base64', 'signature');
is($a->put($at, { secret => '' })->data->{signed} ? 1 : 0, 0, 'an empty secret is none');
is($a->put($at, { secret => undef, status => 'DISABLED' })->data->{status}, 'disabled', 'status');
is($a->get($at)->data->{status}, 'disabled', 'as it is read back');
is($a->put($at, { status => 'active' })->data->{status}, 'active', 'and back');
refused($a->put($at, { status => 'paused', url => 'http://127.0.0.1/', event => 'x', signature => 'x' }), 400, [1207, 1209, 1212, 1213], 'wrong ones');
answered($a->put($at, {}), 200, 'nothing at all');
is($a->get($at)->data->{url}, 'http://example.net/', 'nothing changed');
$a->make('/webhooks', hook());
refused($a->get('/webhooks/12'), 400, 1202, 'no UUID');
my $u = '00000000-0000-4000-8000-000000000000';
refused($a->put("/webhooks/$u", { status => 'active' }), 404, 1201, 'unknown');


=== TEST 5: a test event waits among the webhook's deliveries
--- check
my $a = account();
my $w = $a->make('/webhooks', hook());
my $at = "/webhooks/$w->{id}";
my @e = map { $_->data } map { my $r = $a->post("$at/test"); answered($r, 201, 'test'); $r } 1 .. 5;
like($e[0]{id}, uuid(), 'it has an id');
is(join(' ', map { $_ // 'null' } @{ $e[0] }{qw(event status attempts last_result last_code campaign_id message_id)}), 'test waiting 0 null null null null', 'fields');
my $now = $a->get($at)->data;
is(join(' ', @$now{qw(waiting failed dropped)}), '5 0 0', 'counted');
is($now->{next_date}, $e[0]{next_date}, 'and the next one is due');
my $r = $a->get("$at/deliveries?page_size=2");
is(join(' ', map { $_->{id} } @{ $r->data }), join(' ', map { $_->{id} } @e[4, 3]), 'newest first');
is($r->page->{total}, 5, 'total');
$r = $a->get($r->page->{links}{next});
is(join(' ', map { $_->{id} } @{ $r->data }), join(' ', map { $_->{id} } @e[2, 1]), 'second page');
my $back = $a->get($r->page->{links}{previous});
is(join(' ', map { $_->{id} } @{ $back->data }), join(' ', map { $_->{id} } @e[4, 3]), 'and back');
$r = $a->get($r->page->{links}{next});
is(join(' ', map({ $_->{id} } @{ $r->data }), $r->page->{links}{next} // 'null'), "$e[0]{id} null", 'the last one');
is(scalar @{ $a->get("$at/deliveries?filter[status]=WAITING")->data }, 5, 'all wait');
is(scalar @{ $a->get("$at/deliveries?filter[status]=failed")->data }, 0, 'none failed');
refused($a->get("$at/deliveries?filter[status]=lost"), 400, 1009, 'a state that is none');
refused($a->get("$at/deliveries?page_token=x"), 400, 1009, 'a token that is none');
my $other = $a->make('/webhooks', hook(event => 'message'));
my ($token) = $a->get("$at/deliveries?page_size=1")->page->{links}{next} =~ /page_token=([\w-]+)/;
refused($a->get("/webhooks/$other->{id}/deliveries?page_size=1&page_token=$token"), 400, 1009, "another webhook's");
answered($a->delete($at), 204, 'with the webhook');
refused($a->get("$at/deliveries"), 404, 1201, 'they are gone');


=== TEST 6: a replay wants a span of time
--- check
my $a = account();
my $w = $a->make('/webhooks', hook());
my $at = "/webhooks/$w->{id}/replay";
refused($a->post($at, {}), 400, [1214, 1216], 'nothing given');
refused($a->post($at, { from => 'yesterday', to => 5 }), 400, [1215, 1217], 'no dates');
my $r = $a->post($at, { from => '2026-01-01 00:00:00', to => '2099-01-01T00:00:00+02:00' });
answered($r, 200, 'dates');
is(join(' ', $r->data->{replayed}, $r->data->{more} ? 1 : 0), '0 0', 'nothing had failed');
refused($a->post('/webhooks/00000000-0000-4000-8000-000000000000/replay', { from => '2026-01-01 00:00:00', to => '2026-01-02 00:00:00' }), 404, 1201, 'unknown');


=== TEST 7: an account with a webhook is not deleted
--- check
my $a = account();
my $w = $a->make('/webhooks', hook());
refused(admin()->delete('/accounts/' . $a->id), 409, 1914, 'in use');
answered($a->delete("/webhooks/$w->{id}"), 204, 'without it');
answered(admin()->delete('/accounts/' . $a->id), 204, 'it is');


=== TEST 8: a key that may only read may not change webhooks
--- check
my $a = account();
my $w = $a->make('/webhooks', hook());
my $read = nobody(admin()->post('/accounts/' . $a->id . '/keys', { scope => 'read' })->data->{api_key});
answered($read->get("/webhooks/$w->{id}/deliveries"), 200, 'it reads');
refused($read->post('/webhooks', hook(event => 'message')), 403, 1016, 'creates none');
refused($read->post("/webhooks/$w->{id}/test"), 403, 1016, 'tests none');
