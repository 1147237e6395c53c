# Delivery receipts: whatever form a gateway gives them, each message ends where it should, once.

use lib 't/lib';
use Campaign;
use Campaign::Sending;
use Digest::SHA qw(hmac_sha1_base64 hmac_sha256_base64 hmac_sha256_hex sha256_hex);
use MIME::Base64 qw(encode_base64);
use Test::Nginx::Socket 'no_plan';

# /held… answer when the test says so; the others give an id of their own
gateway(sub {
    my $r = shift;

    return { status => 200, until => 'go', body => qq({"data":[{"id":"late-$r->{id}"}]}) } if $r->{path} eq '/held';
    return { status => 500, until => 'go' } if $r->{path} eq '/heldbad';
    return { status => 503 } if $r->{path} eq '/busy';
    return { body => qq({"data":[{"id":"gw-$r->{id}"}]}) };
});

$Campaign::HttpConfig .= "campaign_retry attempts=3 min=50ms max=60ms;\n";

$Campaign::Config .= join '', map({ channel($_, 'receipts=on') } qw(PLAIN OTHER HELD HELDBAD BUSY KANNEL JASMIN TWILIO INFOBIP)), channel('NORECEIPT', 'receipts=off'), <<'END_CONFIG';
location = /receipts { campaign_receipts; }
location = /plain { campaign_receipts channel=plain; }
location = /mapped { campaign_receipts id=ref status=dlr delivered=1,ok failed=2 sent=4,8 rejected=16 expired=34; }
location = /theirs { campaign_receipts by=gateway_id id=mid status=state; }
location = /ours { campaign_receipts by=id id=mid status=state; }
location = /reasons { campaign_receipts id=id status=status reason=err failed=KO expired=17 rejected=18,19; }

location = /kannel { campaign_receipts channel=KANNEL id=id status=status delivered=1 failed=2 sent=4,8 rejected=16; }
location = /jasmin { campaign_receipts channel=JASMIN by=gateway_id id=id status=message_status reply=ACK/Jasmin; }
location = /twilio { campaign_receipts channel=TWILIO by=gateway_id id=MessageSid status=MessageStatus secret=s3cr3t secret_in=field:key; }
location = /infobip { campaign_receipts channel=INFOBIP by=gateway_id id=results[0].messageId status=results[0].status.groupName reason=results[0].error.name; }

location = /each { campaign_receipts each=results each=list.items id=messageId status=status.groupName reason=error.name; }
location = /each_body { campaign_receipts each=[] id=mid status=state; }
location = /one { campaign_receipts id=[0].id status=[0].status; }

location = /secret { campaign_receipts "secret=open sesame"; }
location = /secret_header { campaign_receipts secret=s3cr3t secret_in=header:X-Token; }
location = /signed { campaign_receipts hmac=k3y; }
location = /signed_hub { campaign_receipts hmac=k3y hmac_in=header:X-Hub-Signature-256; }
location = /twilio_signed { campaign_receipts id=MessageSid status=MessageStatus twilio=12345 twilio_url=https://sms.example.com$request_uri; }
location = /twilio_here { campaign_receipts id=MessageSid status=MessageStatus twilio=12345; }
location = /twilio_fixed { campaign_receipts id=MessageSid status=MessageStatus twilio=12345 twilio_url=https://sms.example.com/; }
location = /twilio_vector { campaign_receipts id=CallSid status=Digits delivered=1234 twilio=12345 "twilio_url=https://mycompany.com/myapp.php?$args"; }
location = /twilio_vectors { campaign_receipts id=Sid status=Status twilio=12345 "twilio_url=https://mycompany.com/myapp.php?foo=1&bar=2"; }
location = /small { campaign_receipts; client_max_body_size 100; }
location = /guarded { campaign_receipts; deny all; }
END_CONFIG

# a campaign that is sent, and its messages
sub sent {
    my ($account, $channel, $n) = @_;
    my $c = start($account, $channel, to => [numbers($n // 1)]);
    settled($account, $c);
    return ($c, @{ $account->get("/campaigns/$c->{id}/messages?page_size=100")->data });
}

our $sender = Campaign::Client->new('', undef, undef);

# a receipt: method, path with its query, body (a reference: JSON), headers
sub told { my ($method, $path, $body, %headers) = @_; $sender->call($method, $path, ref $body ? json($body) : $body, %headers) }
sub form { told('POST', $_[0], $_[1], 'Content-Type' => 'application/x-www-form-urlencoded', @_[2 .. $#_]) }

sub message { $_[0]->get("/messages/$_[1]{id}")->data }
sub status { my $m = message(@_); join ' ', grep { defined } $m->{status}, $m->{reason} }
sub total { counts($_[0]->get("/campaigns/$_[1]{id}")->data) }

run_tests();

__DATA__

=== TEST 1: a receipt in the form of Dexatel's webhooks delivers its message
--- check
my $account = account();
my ($c, @m) = sent($account, 'PLAIN', 4);
is(total($account, $c), 'completed: 4 sent of 4', 'four are sent');
my $r = told(POST => '/receipts', { data => { message_id => $m[0]{id}, status => 'DELIVERED', event => 'delivery', channel => 'PLAIN' } });
answered($r, 200, 'DELIVERED');
is($r->body, '{"data":{}}', 'the answer');
is($r->header('content-type'), 'application/json', 'its type');
is(status($account, $m[0]), 'delivered', 'delivered');
answered(told(POST => '/receipts', { data => { message_id => uc $m[1]{id}, status => 'Undeliverable' } }), 200, 'upper case, mixed case');
is(status($account, $m[1]), 'failed receipt_failed', 'failed, and why');
answered(told(POST => '/receipts', { data => { message_id => $m[2]{id}, status => 'EXPIRED' } }), 200, 'EXPIRED');
answered(told(POST => '/receipts', { data => { message_id => $m[3]{id}, status => 'REJECTED' } }), 200, 'REJECTED');
is(total($account, $c), 'completed: 1 delivered, 3 failed of 4', 'the campaign counts them');
my $report = $account->get("/campaigns/$c->{id}/report")->data;
is(join(', ', map { "$_->{count} $_->{reason}" } sort { $a->{reason} cmp $b->{reason} } grep { $_->{reason} } @{ $report->{reasons} }),
   '1 receipt_expired, 1 receipt_failed, 1 receipt_rejected', 'the report says why');
is($report->{segments}{accepted}, 4, 'all were accepted');

=== TEST 2: query, form and JSON, GET and POST
--- check
my $account = account();
my ($c, @m) = sent($account, 'PLAIN', 9);
my $n = 0;
answered(told(GET => "/receipts?id=$m[$n++]{id}&status=delivered"), 200, 'GET with a query');
answered(told(POST => "/receipts?message_id=$m[$n++]{id}&status=delivered"), 200, 'POST with a query');
answered(form('/receipts', "status=delivered&message_id=$m[$n++]{id}"), 200, 'POST with a form');
answered(form('/receipts', "status=%64elivered&data.message%5fid=$m[$n++]{id}\r\n"), 200, 'with an encoded form');
answered(told(POST => '/receipts', { message_id => $m[$n++]{id}, status => 'delivered' }), 200, 'POST with flat JSON');
answered(told(POST => '/receipts', { id => $m[$n++]{id}, data => { status => 'delivered' } }, 'Content-Type' => 'text/plain'), 200, 'JSON of another type');
answered(told(POST => "/receipts?id=$m[$n++]{id}", { status => 'delivered' }), 200, 'the id in the query, the status in JSON');
answered(told(POST => '/receipts', " \n{\"status\":\"\\u0064elivered\",\"x\":[1,{\"id\":2}],\"id\":\"" . $m[$n++]{id} . '"}'), 200, 'JSON with spaces and escapes');
answered(told(GET => '/receipts?status=delivered&x=&&=&%69d=' . ($m[$n++]{id} =~ s/-/%2d/gr)), 200, 'an encoded query');
is(total($account, $c), 'completed: 9 delivered of 9', 'each counts');

=== TEST 3: parameters name fields and values
--- check
my $account = account();
my ($c, @m) = sent($account, 'PLAIN', 6);
answered(told(GET => "/mapped?ref=$m[0]{id}&dlr=1"), 200, 'delivered=1');
answered(told(GET => "/mapped?ref=$m[1]{id}&dlr=2"), 200, 'failed=2');
answered(told(GET => "/mapped?ref=$m[2]{id}&dlr=8"), 200, 'sent=8');
answered(told(GET => "/mapped?ref=$m[3]{id}&dlr=16"), 200, 'rejected=16');
answered(told(GET => "/mapped?ref=$m[4]{id}&dlr=34"), 200, 'expired=34');
answered(told(GET => "/mapped?ref=$m[5]{id}&dlr=OK"), 200, 'words in any case');
is(join(', ', map { status($account, $_) } @m), 'delivered, failed receipt_failed, sent, failed receipt_rejected, failed receipt_expired, delivered', 'as told');
answered(told(GET => "/mapped?ref=$m[2]{id}&dlr=DELIVRD"), 200, 'the usual words are known all the same');
refused(told(GET => "/mapped?id=$m[2]{id}&status=1"), 400, [1551, 1552], 'names that are not the directive\'s');
($c, @m) = sent($account, 'PLAIN', 4);
answered(told(POST => '/reasons', { id => $m[0]{id}, status => 'KO', err => 17 }), 200, 'a reason that says expired');
answered(told(POST => '/reasons', { id => $m[1]{id}, status => 'KO', err => '19' }), 200, 'rejected');
answered(told(POST => '/reasons', { id => $m[2]{id}, status => 'KO', err => '99' }), 200, 'another one');
answered(told(POST => '/reasons', { id => $m[3]{id}, status => 'delivered', err => '17' }), 200, 'one of a message that was delivered');
is(join(', ', map { status($account, $_) } @m), 'failed receipt_expired, failed receipt_rejected, failed receipt_failed, delivered', 'the reason counts where it failed');

=== TEST 4: by the gateway's own id, or by ours, or by either
--- check
my $account = account();
my ($c, @m) = sent($account, 'PLAIN', 5);
is($m[0]{gateway_id}, "gw-$m[0]{id}", 'the gateway gave an id');
answered(told(GET => "/theirs?mid=gw-$m[0]{id}&state=delivered"), 200, 'by its id');
refused(told(GET => "/theirs?mid=$m[1]{id}&state=delivered"), 404, 1501, 'ours is not looked for');
answered(told(GET => "/ours?mid=$m[1]{id}&state=delivered"), 200, 'by ours');
refused(told(GET => "/ours?mid=gw-$m[2]{id}&state=delivered"), 404, 1501, 'its id is not looked for');
answered(told(GET => "/receipts?id=gw-$m[2]{id}&status=delivered"), 200, 'by either: its');
answered(told(GET => "/receipts?id=$m[3]{id}&status=delivered"), 200, 'by either: ours');
answered(told(GET => "/receipts?id=gw-nobody&message_id=$m[4]{id}&status=delivered"), 200, 'both: ours counts');
is(total($account, $c), 'completed: 5 delivered of 5', 'each counts');

=== TEST 5: what is not there is not found, whatever it is
--- check
my $account = account();
my ($c, @m) = sent($account, 'OTHER', 2);
my $late = $account->campaign(channel => 'OTHER');
my ($waits) = @{ $account->get("/campaigns/$late->{id}/messages")->data };
for (['unknown', 'd8093f6a-1c5e-8472-bb1d-7e94a0c63f07'], ['a campaign', $c->{id}], ['an account', $account->id], ['one that was not sent yet', $waits->{id}],
     ['one changed', $m[0]{id} =~ s/(.)\z/$1 eq '0' ? '1' : '0'/er], ['one of another channel', $m[0]{id}, '/plain'], ['no id at all', 'x'],
     ["a gateway's id of another channel", "gw-$m[0]{id}", '/plain']) {
    my ($what, $id, $path) = @$_;
    my $r = told(GET => ($path // '/receipts') . "?id=$id&status=delivered");
    refused($r, 404, 1501, $what);
    is(join('|', $r->messages), 'message is not found', 'without a detail');
}
is(total($account, $c), 'completed: 2 sent of 2', 'nothing changed');
answered($account->delete("/campaigns/$c->{id}"), 204, 'the campaign is deleted');
refused(told(GET => "/receipts?id=$m[0]{id}&status=delivered"), 404, 1501, 'and its messages are not found');
refused(told(GET => "/receipts?id=gw-$m[1]{id}&status=delivered"), 404, 1501, 'by neither id');

=== TEST 6: a receipt before the delivery's own answer
--- check
my $account = account();
my $c = start($account, 'HELD', to => [numbers(3)]);
my $bad = start($account, 'HELDBAD', to => [numbers(2)]);
is(wait_for { requests('HELD') >= 3 && requests('HELDBAD') >= 2 }, 1, 'all are on their way');
my @m = @{ $account->get("/campaigns/$c->{id}/messages")->data };
my @b = @{ $account->get("/campaigns/$bad->{id}/messages")->data };
answered(told(GET => "/receipts?id=$m[0]{id}&status=delivered"), 200, 'delivered');
answered(told(GET => "/receipts?id=$m[1]{id}&status=failed"), 200, 'failed');
answered(told(GET => "/receipts?id=$_->{id}&status=delivered"), 200, 'delivered, though the gateway will say 500') for @b;
is(total($account, $c), 'in_progress: 1 delivered, 1 enroute, 1 failed of 3', 'two are over') or diag(json($account->get("/campaigns/$c->{id}")->data));
is(total($account, $bad), 'completed: 2 delivered of 2', 'a campaign of which all are over is, too');
gateway()->tell('go');
is(counts(settled($account, $c)), 'completed: 1 delivered, 1 failed, 1 sent of 3', 'the answers change nothing');
is(wait_for { (message($account, $m[0])->{gateway_id} // '') eq "late-$m[0]{id}" }, 1, 'but they bring the gateway\'s id');
is(message($account, $m[0])->{attempts}, 1, 'tried once');
sleep 0.3;
is(scalar requests('HELDBAD'), 2, 'and nothing is tried again');
is(total($account, $bad), 'completed: 2 delivered of 2', 'nor counted');
answered($account->delete("/campaigns/$bad->{id}"), 204, 'it can be deleted');

=== TEST 7: a gateway's id that is not known yet is waited for
--- check
my $account = account();
my $c = start($account, 'HELD');
my ($m) = @{ $account->get("/campaigns/$c->{id}/messages")->data };
is(wait_for { scalar grep { $_->{id} eq $m->{id} } requests('HELD') }, 1, 'it is on its way, and its answer is let go at once');
answered(told(GET => "/theirs?mid=late-$m->{id}&state=delivered"), 200, 'a receipt that is faster than our commit');
is(status($account, $m), 'delivered', 'counts');
my $start = time;
refused(told(GET => '/theirs?mid=late-nobody&state=delivered'), 404, 1501, 'one that never comes');
cmp_ok(time - $start, '>=', 1, 'is not found after a while');

=== TEST 8: early, late, repeated, contradictory: the final state wins, counters are exact
--- check
my $account = account();
my ($c, @m) = sent($account, 'PLAIN', 3);
my @orders = ([qw(sent failed delivered)], [qw(delivered failed sent)], [qw(failed delivered expired)]);
for my $i (0 .. 2) {
    answered(told(GET => "/receipts?id=$m[$i]{id}&status=$_"), 200, "$i: $_") for map { ($_) x 2 } @{ $orders[$i] };
}
is(total($account, $c), 'completed: 3 delivered of 3', 'delivered beats all');
is_deeply($account->get("/campaigns/$c->{id}/report")->data->{reasons}, [], 'and the report knows no other')
    or diag(json($account->get("/campaigns/$c->{id}/report")->data));

=== TEST 9: a message that waits for its repeat and was delivered is not repeated
--- check
my $account = account();
my $c = start($account, 'BUSY');
my ($m) = @{ $account->get("/campaigns/$c->{id}/messages")->data };
is(wait_for { message($account, $m)->{attempts} >= 1 && scalar requests('BUSY') }, 1, 'it was tried');
answered(told(GET => "/receipts?id=$m->{id}&status=delivered"), 200, 'a receipt');
is(counts(settled($account, $c)), 'completed: 1 delivered of 1', 'it is delivered');

=== TEST 10: real gateways: Kannel
--- check
my $account = account();
my ($c, @m) = sent($account, 'KANNEL', 3);
answered(told(GET => "/kannel?id=$m[0]{id}&status=8"), 200, 'at the SMSC');
answered(told(GET => "/kannel?id=$m[0]{id}&status=1"), 200, 'delivered');
answered(told(GET => "/kannel?id=$m[1]{id}&status=2"), 200, 'not delivered');
answered(told(GET => "/kannel?id=$m[2]{id}&status=16"), 200, 'rejected');
is(join(', ', map { status($account, $_) } @m), 'delivered, failed receipt_failed, failed receipt_rejected', 'as told');
refused(told(GET => "/kannel?id=$m[0]{id}&status=32"), 400, 1553, 'a value that is not known');

=== TEST 11: real gateways: Jasmin, Twilio, Infobip
--- check
my $account = account();
my ($c, @m) = sent($account, 'JASMIN', 1);
my $r = form('/jasmin', "id=$m[0]{gateway_id}&id_smsc=1&message_status=DELIVRD&level=3&subdate=1411222233&donedate=1411222234&sub=001&dlvrd=001&err=000&text=-");
answered($r, 200, 'Jasmin');
is($r->body, 'ACK/Jasmin', 'gets what it waits for');
is($r->header('content-type'), 'text/plain', 'as text');
is(status($account, $m[0]), 'delivered', 'delivered');
($c, @m) = sent($account, 'TWILIO', 1);
my $twilio = sub { "AccountSid=AC1&ApiVersion=2010-04-01&From=%2B15017122661&MessageSid=$m[0]{gateway_id}&MessageStatus=$_[0]&SmsSid=SM1&To=%2B15558675310" };
refused(form('/twilio', $twilio->('delivered')), 403, 1020, 'Twilio without the secret');
answered(form('/twilio?key=s3cr3t', $twilio->('sent')), 200, 'Twilio: sent');
is(status($account, $m[0]), 'sent', 'sent');
answered(form('/twilio?key=s3cr3t', $twilio->('undelivered')), 200, 'Twilio: undelivered');
is(status($account, $m[0]), 'failed receipt_failed', 'failed');
($c, @m) = sent($account, 'INFOBIP', 1);
answered(told(POST => '/infobip', { results => [{ messageId => $m[0]{gateway_id}, to => '1', error => { groupId => 0, name => 'EXPIRED' },
                                                  status => { id => 5, groupId => 3, groupName => 'UNDELIVERABLE' } }] }), 200, 'Infobip');
is(status($account, $m[0]), 'failed receipt_expired', 'failed, and why');

=== TEST 12: what is wrong with a receipt is said
--- check
my $account = account();
my ($c, @m) = sent($account, 'PLAIN', 1);
my $id = $m[0]{id};
refused(told(GET => '/receipts'), 400, [1551, 1552], 'nothing');
refused(told(GET => "/receipts?id=$id"), 400, 1552, 'no status');
refused(told(GET => '/receipts?status=delivered'), 400, 1551, 'no id');
refused(told(GET => "/receipts?id=$id&status=wonderful"), 400, 1553, 'an unknown status');
refused(told(GET => "/receipts?id=$id&status="), 400, 1552, 'an empty status');
refused(told(GET => '/receipts?id=' . 'x' x 65 . '&status=delivered'), 400, 1551, 'an id that is too long');
refused(told(GET => "/receipts?id=a%00b&status=delivered"), 400, 1551, 'an id with a NUL');
refused(told(POST => '/receipts', '{"data":{"message_id":'), 400, [1551, 1552], 'broken JSON');
refused(told(POST => '/receipts', '[' x 30000), 400, [1551, 1552], 'deep JSON');
refused(told(POST => '/receipts', { data => { message_id => [$id], status => { x => 1 } } }), 400, [1551, 1552], 'values of other types');
refused(told(PUT => '/receipts', '{}'), 405, 1013, 'another method');
is(told(PUT => '/receipts', '{}')->header('allow'), 'GET, POST', 'and which are');
is($main::sender->head("/receipts?id=$id&status=delivered")->status, 405, 'HEAD changes nothing');
refused(told(POST => '/receipts', 'x' x 70000), 413, 1008, 'a long body');
refused(told(POST => '/small', 'x' x 200), 413, 1008, 'longer than client_max_body_size');
refused(told(POST => '/receipts', '{}', 'Content-Encoding' => 'gzip'), 415, 1006, 'an encoded body');
refused(told(GET => "/guarded?id=$id&status=delivered"), 403, 1017, 'access rules hold');
is(total($account, $c), 'completed: 1 sent of 1', 'nothing changed');

=== TEST 13: a shared secret
--- check
my $account = account();
my ($c, @m) = sent($account, 'PLAIN', 5);
my $ask = sub { told(GET => "/secret?id=$_[0]{id}&status=delivered" . ($_[1] // ''), undef, @_[2 .. $#_]) };
refused($ask->($m[0]), 403, 1020, 'none');
refused($ask->($m[0], '&secret='), 403, 1020, 'an empty one');
refused($ask->($m[0], '&secret=open+sesam'), 403, 1020, 'a part of it');
refused($ask->($m[0], '&secret=open+sesame1'), 403, 1020, 'more than it');
refused($ask->($m[0], '', 'X-Receipt-Secret' => 'Open sesame'), 403, 1020, 'another one in the header');
refused($ask->($m[0], '&secret=open+sesame', 'X-Receipt-Secret' => 'wrong'), 403, 1020, 'the header counts');
answered($ask->($m[0], '&secret=open+sesame'), 200, 'in the query');
answered($ask->($m[1], '', 'X-Receipt-Secret' => 'open sesame'), 200, 'in the header');
answered(told(POST => '/secret', { id => $m[2]{id}, status => 'delivered', secret => 'open sesame' }), 200, 'in JSON');
refused(told(GET => "/secret_header?id=$m[3]{id}&status=delivered&secret=s3cr3t"), 403, 1020, 'in the query, where a header is asked for');
answered(told(GET => "/secret_header?id=$m[3]{id}&status=delivered", undef, 'X-Token' => 's3cr3t'), 200, 'in that header');
refused(told(GET => "/secret?id=d8093f6a-1c5e-8472-bb1d-7e94a0c63f07&status=delivered"), 403, 1020, 'who does not know it does not learn what there is');
is(total($account, $c), 'completed: 4 delivered, 1 sent of 5', 'those with the secret count');

=== TEST 14: a signature
--- check
my $account = account();
my ($c, @m) = sent($account, 'PLAIN', 4);
my $body = sub { json({ data => { message_id => $_[0]{id}, status => 'DELIVERED' } }) };
my $b64 = sub { my $s = hmac_sha256_base64($_[0], 'k3y'); $s . '=' x (-length($s) % 4) };
refused(told(POST => '/signed', $body->($m[0])), 403, 1020, 'none');
refused(told(POST => '/signed', $body->($m[0]), 'X-Dexatel-Signature' => $b64->($body->($m[1]))), 403, 1020, 'of another body');
refused(told(POST => '/signed', $body->($m[0]), 'X-Dexatel-Signature' => hmac_sha256_hex($body->($m[0]), 'key')), 403, 1020, 'with another key');
refused(told(POST => '/signed', $body->($m[0]), 'X-Dexatel-Signature' => $_), 403, 1020, "\"$_\"") for '', 'x', '=' x 44, 'z' x 64, 'A' x 5000;
answered(told(POST => '/signed', $body->($m[0]), 'X-Dexatel-Signature' => $b64->($body->($m[0]))), 200, 'base64');
answered(told(POST => '/signed', $body->($m[1]), 'X-Dexatel-Signature' => hmac_sha256_hex($body->($m[1]), 'k3y')), 200, 'hexadecimal');
answered(told(POST => '/signed_hub', $body->($m[2]), 'X-Hub-Signature-256' => 'sha256=' . hmac_sha256_hex($body->($m[2]), 'k3y')), 200, 'with its name before it');
refused(told(GET => "/signed?id=$m[3]{id}&status=delivered", undef, 'X-Dexatel-Signature' => hmac_sha256_hex('', 'k3y')), 400, [1551, 1552],
        'a query is not signed, and not believed');
refused(told(POST => "/signed?status=failed", $body->($m[3]), 'X-Dexatel-Signature' => hmac_sha256_hex('x', 'k3y')), 403, 1020, 'and opens nothing');
is(total($account, $c), 'completed: 3 delivered, 1 sent of 4', 'those signed count');

=== TEST 15: many at once, from several clients
--- check
my $account = account(rate => 100000, burst => 10000);
my ($c, @m) = sent($account, 'PLAIN', 100);
my @pieces = map { my $i = $_; request(GET => "/receipts?id=$m[$i]{id}&status=" . ($i % 2 ? 'failed' : 'delivered')) } 0 .. 99;
my @r = wire({ answers => 300 }, join('', @pieces) x 3);
is(scalar(grep { $_->status == 200 } @r), 300, 'each is answered');
is(total($account, $c), 'completed: 50 delivered, 50 failed of 100', 'and counts once');

=== TEST 16: receipts=off: what was accepted is delivered, and stays so
--- check
my $account = account();
my ($c, @m) = sent($account, 'NORECEIPT', 1);
is(status($account, $m[0]), 'delivered', 'delivered');
answered(told(GET => "/receipts?id=$m[0]{id}&status=failed"), 200, 'a receipt all the same');
is(status($account, $m[0]), 'delivered', 'changes nothing');

=== TEST 17: an array of receipts: each counts
--- check
my $account = account();
my ($c, @m) = sent($account, 'PLAIN', 14);
my $r = told(POST => '/receipts', [map { { id => $_->{id}, status => 'DELIVERED' } } @m[0, 1]]);
answered($r, 200, 'the body is one');
is($r->body, '{"data":{}}', 'one answer for all');
answered(told(POST => '/receipts', [map { { data => { message_id => $_->{id}, status => 'FAILED' } } } @m[2, 3]]), 200, 'of webhooks');
answered(told(POST => '/receipts', { data => [map { { message_id => $_->{gateway_id}, status => 'delivered' } } @m[4, 5]] }), 200, 'data is one');
answered(told(POST => '/each', { results => [map { { messageId => $_->{gateway_id}, status => { groupName => 'UNDELIVERABLE' }, error => { name => 'EXPIRED' } } } @m[6, 7]] }), 200, 'each=');
answered(told(POST => '/each', { list => { items => [map { { messageId => $_->{id}, status => { groupName => 'DELIVERED' } } } @m[8, 9]] } }), 200, 'the second each=');
answered(told(POST => '/each', { messageId => $m[10]{id}, status => { groupName => 'DELIVERED' } }), 200, 'none of them: one receipt');
answered(told(POST => '/each_body?state=delivered', [{ mid => $m[11]{id} }, { mid => $m[12]{id} }]), 200, 'the query is for all');
answered(told(POST => '/one', [{ id => $m[13]{id}, status => 'delivered' }, { id => $m[12]{id}, status => 'failed' }]), 200, 'an id that names its place: that one only');
is(join(' ', map { status($account, $_) =~ s/ receipt//r } @m), 'delivered delivered failed_failed failed_failed delivered delivered failed_expired failed_expired'
   . ' delivered delivered delivered delivered delivered delivered', 'as told');
is(total($account, $c), 'completed: 10 delivered, 4 failed of 14', 'and counted');

=== TEST 18: a bad one in an array: those that are right count, and the gateway is told so that it comes again
--- check
my $account = account();
my ($c, @m) = sent($account, 'PLAIN', 4);
my @all = ({ id => $m[0]{id}, status => 'delivered' }, { id => 'gw-nobody', status => 'delivered' }, { id => $m[1]{id}, status => 'wonderful' }, 5, {},
           { id => $m[2]{id}, status => 'failed' });
my $r = told(POST => '/receipts', \@all);
refused($r, 404, [1501, 1551, 1551, 1552, 1552, 1553], 'each mistake once');
is(join('|', sort map { s/:.*//r } $r->messages), "'[1]'|'[2]'|'[3]'|'[3]'|'[4]'|'[4]'", 'and where it is');
is(join(', ', map { status($account, $_) } @m), 'delivered, sent, failed receipt_failed, sent', 'the others count');
$all[2]{status} = 'delivered';
refused(told(POST => '/receipts', \@all), 404, [1501, 1551, 1551, 1552, 1552], 'again, all of it');
is(join(', ', map { status($account, $_) } @m), 'delivered, delivered, failed receipt_failed, sent', 'repeats change nothing, what was mended counts');
answered(told(POST => '/receipts', [@all[0, 2, 5]]), 200, 'all are right');
refused(told(POST => '/receipts', [map { {} } 1 .. 900]), 400, [(1551) x 5, (1552) x 5], 'of many bad ones the first are told of');
is((told(POST => '/each', { results => [{}] })->messages)[0] =~ s/:.*//r, "'results[0]'", 'by the name of the array');
is(total($account, $c), 'completed: 2 delivered, 1 failed, 1 sent of 4', 'and counted');

=== TEST 19: an array is bounded, and none if it does not end
--- check
my $account = account(rate => 100000, burst => 10000);
my ($c, @m) = sent($account, 'PLAIN', 1000);
my @some = map { { id => $m[$_ % 100]{id}, status => 'delivered' } } 0 .. 999;
answered(told(POST => '/receipts', '[' . join(',', map { qq({"id":"$_->{id}","status":"sent"}) } @some) . ']'), 200, 'a thousand');
refused(told(POST => '/receipts', '[' . join(',', map { qq({"id":"$_->{id}","status":"failed"}) } @some, $some[0]) . ']'), 413, 1008, 'one more');
refused(told(POST => '/receipts', '[' . join(',', ('{}') x 20000) . ']'), 413, 1008, 'twenty thousand of nothing');
refused(told(POST => '/receipts', '[]'), 400, 1007, 'none');
refused(told(POST => '/receipts', { data => [] }), 400, 1007, 'none of data');
refused(told(POST => '/receipts', qq([{"id":"$some[0]{id}","status":"failed"},)), 400, [1551, 1552], 'cut off');
refused(told(POST => '/receipts', qq([{"id":"$some[0]{id}","status":"failed"},])), 400, [1551, 1552], 'with a comma too many');
is(total($account, $c), 'completed: 1000 sent of 1000', 'and none of these counted');

=== TEST 20: those of an array that are not known yet are waited for
--- check
my $account = account();
my $c = start($account, 'HELD', to => [numbers(2)]);
my @m = @{ $account->get("/campaigns/$c->{id}/messages")->data };
my ($p, @q) = sent($account, 'PLAIN', 1);
is(wait_for { my %on = map { $_->{id} => 1 } requests('HELD'); $on{$m[0]{id}} && $on{$m[1]{id}} }, 1, 'on their way, and their answers are let go at once');
answered(told(POST => '/receipts', [map { { id => $_, status => 'delivered' } } "late-$m[0]{id}", $q[0]{id}, "late-$m[1]{id}"]), 200, 'faster than our commit');
is(join(', ', map { status($account, $_) } @m, @q), 'delivered, delivered, delivered', 'all count');

=== TEST 21: Twilio's signature: the examples of its documentation and its libraries
--- check
my $vector = 'CallSid=CA1234567890ABCDE&Caller=%2B14158675309&Digits=1234&From=%2B14158675309&To=%2B18005551212';
my $ask = sub { form('/twilio_vector?foo=1&bar=2', $_[0], 'X-Twilio-Signature' => $_[1]) };
refused($ask->($vector, 'RSOYDt4T1cUTdK1PDd93/VVr8B8='), 404, 1501, 'proven: the message is not there');
refused($ask->(join('&', reverse split /&/, $vector), 'RSOYDt4T1cUTdK1PDd93/VVr8B8='), 404, 1501, 'in any order');
refused($ask->($vector, $_), 403, 1020, "\"$_\"") for '', 'FAIL', 'RSOYDt4T1cUTdK1PDd93/VVr8C8=', 'RSOYDt4T1cUTdK1PDd93/VVr8B8=x', 'A' x 27, 'A' x 5000;
refused($ask->($vector =~ s/1234&/1235&/r, 'RSOYDt4T1cUTdK1PDd93/VVr8B8='), 403, 1020, 'another value');
refused($ask->("$vector&x=", 'RSOYDt4T1cUTdK1PDd93/VVr8B8='), 403, 1020, 'a field more');
refused(form('/twilio_vector?foo=1&bar=3', $vector, 'X-Twilio-Signature' => 'RSOYDt4T1cUTdK1PDd93/VVr8B8='), 403, 1020, 'another URL');
refused(form('/twilio_vectors', 'Sid=CA123&SidAccount=AC123&Digits=5678&Digits=1234&Digits=1234', 'X-Twilio-Signature' => 'IK+Dwps556ElfBT0I3Rgjkr1wJU='), 400, 1552, 'a field with several values');
my $body = '{"property": "value", "boolean": true}';
my $url = '/twilio_vector?foo=1&bar=2&bodySHA256=0a1ff7634d9ab3b95db5c9a2dfe9416e41502b283a80c7cf19632632f96e6620';
refused(told(POST => $url, $body, 'X-Twilio-Signature' => 'a9nBmqA0ju/hNViExpshrM61xv4='), 400, [1551, 1552], 'JSON, by its SHA-256 in the URL');
refused(told(POST => $url, $body =~ s/true/false/r, 'X-Twilio-Signature' => 'a9nBmqA0ju/hNViExpshrM61xv4='), 403, 1020, 'other JSON');
refused(told(POST => '/twilio_vector?foo=1&bar=2', $body, 'X-Twilio-Signature' => hmac_sha1_base64('https://mycompany.com/myapp.php?foo=1&bar=2', '12345') . '='), 403, 1020, 'JSON that is not covered');

=== TEST 22: receipts that Twilio has signed
--- check
my $account = account();
my ($c, @m) = sent($account, 'PLAIN', 6);
my $sign = sub { my ($url, %f) = @_; hmac_sha1_base64(join('', $url, map { $_ . $f{$_} } sort keys %f), '12345') . '=' };
my %f = (AccountSid => 'AC1', MessageSid => $m[0]{gateway_id}, MessageStatus => 'delivered', From => '+15017122661', Body => 'a b&c=d', Empty => '');
my $form = sub { my %f = @_; join '&', map { my $v = $f{$_}; "$_=" . ($v =~ s/([^A-Za-z0-9 ])/sprintf '%%%02X', ord $1/ger =~ tr/ /+/r) } keys %f };
answered(form('/twilio_signed', $form->(%f), 'X-Twilio-Signature' => $sign->('https://sms.example.com/twilio_signed', %f)), 200, 'by the URL that is given');
refused(form('/twilio_signed', $form->(%f), 'X-Twilio-Signature' => $sign->('http://sms.example.com/twilio_signed', %f)), 403, 1020, 'not by another one');
refused(form('/twilio_signed', $form->(%f)), 403, 1020, 'nor without');
$f{MessageSid} = $m[1]{gateway_id};
answered(form('/twilio_signed?a=b', $form->(%f), 'X-Twilio-Signature' => $sign->('https://sms.example.com/twilio_signed?a=b', %f)), 200, 'with a query');
$f{MessageSid} = $m[2]{gateway_id};
my $here = "http://127.0.0.1:$ENV{TEST_NGINX_SERVER_PORT}/twilio_here";
answered(form('/twilio_here', $form->(%f), 'X-Twilio-Signature' => $sign->($here, %f)), 200, 'by default by the one that is asked for');
my $get = "MessageSid=$m[3]{gateway_id}&MessageStatus=failed";
answered(told(GET => "/twilio_here?$get", undef, 'X-Twilio-Signature' => $sign->("$here?$get")), 200, 'a GET');
refused(told(GET => "/twilio_fixed?MessageSid=$m[4]{gateway_id}&MessageStatus=failed", undef, 'X-Twilio-Signature' => $sign->('https://sms.example.com/')), 400, [1551, 1552],
        'a query that is not in the URL is not believed');
my $many = join '&', map { "a$_=$_" } 1 .. 300;
refused(form('/twilio_signed', $many, 'X-Twilio-Signature' => $sign->('https://sms.example.com/twilio_signed', map { ("a$_" => $_) } 1 .. 300)), 403, 1020, 'too many fields');
is(total($account, $c), 'completed: 3 delivered, 1 failed, 2 sent of 6', 'those signed count');
