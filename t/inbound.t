# campaign_inbound: messages that people send to our senders, in whatever form a gateway passes them on; words that stop and start.

use lib 't/lib';
use Campaign;
use Campaign::Sending;
use Digest::SHA qw(hmac_sha256_base64 hmac_sha256_hex);
use HTTP::Tiny;
use Test::Nginx::Socket 'no_plan';

gateway(sub {
    my $r = shift;
    return $r->{path} eq '/held' ? { until => 'go' } : 200;
});

$Campaign::Config .= join '', channel('HELD', 'concurrency=2'), channel('FREE', ''), <<'END';
location = /inbound { campaign_inbound; }
location = /named { campaign_inbound from=source.msisdn from=From to=dest.number to=To text=content.body text=Body; }
location = /words { campaign_inbound stop=Ferma,basta start=inizia; }
location = /free { campaign_inbound channel=free reply=; }
location = /secret { campaign_inbound secret=hush reply=OK; }
location = /signed { campaign_inbound hmac=key hmac_in=header:X-Sig; }
END

my $http = HTTP::Tiny->new(timeout => 10);

sub ask {
    my ($method, $path, $type, $body, %headers) = @_;
    $headers{'Content-Type'} = $type if defined $type;
    my $r = $http->request($method, "http://127.0.0.1:$ENV{TEST_NGINX_SERVER_PORT}$path", { headers => \%headers, defined $body ? (content => $body) : () });
    return Campaign::Answer->new($method, $path, $r->{status}, $r->{headers}, $r->{content});
}

sub says { my ($path, $from, $to, $text) = @_; ask(GET => "$path?" . HTTP::Tiny->new->www_form_urlencode({ from => $from, to => $to, text => $text })) }

# an account that owns this sender, and is alone in that
my $senders = 0;
sub owner { my $name = '49151' . (1000000 + ++$senders); my $a = account(); $a->sender(name => $name, channel => $_) for @_ ? @_ : 'SMS'; return ($a, $name) }

sub source { my $r = $_[0]->get('/suppressions/' . ($_[1] // '15551234567')); $r->status == 404 ? 'none' : $r->data->{source} }

run_tests();

__DATA__

=== TEST 1: STOP puts the number on the list of the account that owns the sender, START takes it off
--- check
my ($a, $to) = owner();
my ($b) = owner();
my $r = says('/inbound', '+15551234567', "+$to", ' Stop. ');
answered($r, 200, 'answered');
is($r->body, '{"data":{}}', 'with an empty object');
my $s = $a->get('/suppressions/15551234567')->data;
is_deeply([@$s{qw(number channel from source reason campaign_id expire_date)}], ['15551234567', undef, undef, 'stop', 'STOP', undef, undef], 'the suppression');
is(source($b), 'none', "another account's senders are not concerned");
answered(says('/inbound', '15551234567', $to, 'STOP'), 200, 'once more');
is($a->get('/suppressions')->page->{total}, 1, 'changes nothing');
answered(says('/inbound', '15551234567', $to, 'please do not stop'), 200, 'another text');
answered(says('/inbound', '15551234568', $to, 'Hello'), 200, "somebody else's");
is(join(' ', map { $_->{number} } @{ $a->get('/suppressions')->data }), '15551234567', 'change nothing either');
answered(says('/inbound', '15551234567', $to, 'start'), 200, 'START');
is(source($a), 'none', 'lifts it');
answered(says('/inbound', '15551234567', $to, 'start'), 200, 'START again');


=== TEST 2: all the words, folded and trimmed
--- check
my ($a, $to) = owner();
my $n = 15550000000;
for (qw(STOP stopall Unsubscribe cancel end QUIT arret arrêt ARRÊT optout opt-out remove), "\tstop\r\n", '"STOP"', 'stop!!!', "stop \x{1f6d1}", "\x{ff33}\x{ff34}\x{ff2f}\x{ff30}") {
    my $text = $_;
    answered(says('/inbound', ++$n, $to, $text), 200, "number $n");
    is(source($a, $n), 'stop', json($_));
}
for (qw(start YES unstop)) {
    answered(says('/inbound', $n, $to, 'stop'), 200, 'stop');
    answered(says('/inbound', $n, $to, $_), 200, $_);
    is(source($a, $n), 'none', "$_ lifts it");
}
for ('', 'stops', 'non stop', 'stop it', 'st op', 'no', 'yes please', 'x' x 1000) {
    answered(says('/inbound', ++$n, $to, $_), 200, "no word: " . substr json($_), 0, 20);
    is(source($a, $n), 'none', 'nothing is suppressed');
}


=== TEST 3: START lifts what a STOP did, not what the account itself wants
--- check
my ($a, $to) = owner();
answered($a->post('/suppressions', { number => '15551234567' }), 201, 'suppressed by the account');
answered(says('/inbound', '15551234567', $to, 'STOP'), 200, 'and STOP');
is(source($a), 'api', 'it was there already');
answered(says('/inbound', '15551234567', $to, 'START'), 200, 'START');
is(source($a), 'api', 'stays');
answered($a->post('/suppressions', { number => '15550000001', channel => 'VIBER' }), 201, 'on one channel');
answered(says('/inbound', '15550000001', $to, 'STOP'), 200, 'STOP');
is($a->get('/suppressions?filter[number]=15550000001')->page->{total}, 2, 'is for all of them');
answered(says('/inbound', '15550000001', $to, 'START'), 200, 'START');
is_deeply([map { "$_->{source} $_->{channel}" } @{ $a->get('/suppressions?filter[number]=15550000001')->data }], ['api VIBER'], 'lifts its own');


=== TEST 4: as a query, a form or JSON, by the usual names or by those that the directive gives
--- check
my ($a, $to) = owner();
my $n = 15560000000;
my $form = 'application/x-www-form-urlencoded';
my @ways = (
    sub { ask(GET => "/inbound?from=$_[0]&to=$to&text=STOP") },
    sub { ask(POST => "/inbound?from=$_[0]&to=$to&text=STOP") },
    sub { ask(POST => '/inbound', $form, "from=$_[0]&to=%2B$to&text=st%6fp") },
    sub { ask(POST => "/inbound?to=$to", $form, "from=$_[0]&text=STOP\r\n") },
    sub { ask(POST => '/inbound', 'application/json', qq({"data":{"from":"+$_[0]","to":"$to","text":"arr\\u00eat"}})) },
    sub { ask(POST => '/inbound', 'application/json', qq({"from":$_[0],"to":"$to","text":"STOP","more":[1,{"from":"x"}]})) },
    sub { ask(POST => '/named', 'application/json', qq({"source":{"msisdn":"$_[0]"},"dest":{"number":"$to"},"content":{"body":"Stop"}})) },
    sub { ask(POST => '/named', $form, "From=%2B$_[0]&To=%2B$to&Body=Stop&MessageSid=x") },
);
for my $i (0 .. $#ways) {
    answered($ways[$i]->(++$n), 200, 'way ' . ($i + 1));
    is(source($a, $n), 'stop', 'is understood');
}
refused(ask(GET => "/inbound?to=$to&text=STOP"), 400, 1871, 'nobody sent it');
refused(ask(GET => '/inbound?from=15551234567&text=STOP'), 400, 1872, 'to nobody');
refused(ask(POST => '/inbound', 'application/json', '{}'), 400, [1871, 1872], 'neither');
refused(ask(POST => '/inbound', 'application/json', '{'), 400, [1871, 1872], 'what is no JSON');
refused(says('/inbound', '15551234567', 'Nobody', 'STOP'), 404, 1870, 'a sender that nobody has');
answered(says('/inbound', 'Friend', $to, 'STOP'), 200, 'from a name');
answered(says('/inbound', '12345', $to, 'STOP'), 200, 'from a short code');
is($a->get('/suppressions?filter[source]=stop')->page->{total}, scalar @ways, 'suppress nothing');
my $put = ask(PUT => "/inbound?from=1555123456&to=$to");
refused($put, 405, 1013, 'another method');
is($put->header('allow'), 'GET, POST', 'Allow');


=== TEST 5: every account that has the sender hears of it; channel= narrows it down
--- check
my ($a, $to) = owner('SMS');
my ($b, $c) = (account(), account());
$b->sender(name => $to, channel => 'FREE');
$c->sender(name => $to, channel => 'VIBER');
answered(says('/inbound', '15551234567', $to, 'STOP'), 200, 'STOP');
is(join(' ', map { source($_) } $a, $b, $c), 'stop stop stop', 'all of them');
my $r = says('/free', '15551234567', $to, 'START');
is(join(' ', $r->status, length $r->body, $r->header('content-type')), '200 0 text/plain', 'an answer without a text');
is(join(' ', map { source($_) } $a, $b, $c), 'stop none stop', 'only who has it on this channel');
refused(says('/free', '15551234567', 'Acme', 'STOP'), 404, 1870, 'nobody has that one there') if !grep { @{ $_->get('/senders?filter[channel]=FREE&filter[name]=Acme')->data } } $a, $b, $c;


=== TEST 6: words of the operator's own
--- check
my ($a, $to) = owner();
answered(says('/words', '15551234567', $to, $_), 200, $_) for 'STOP', 'FERMA';
is($a->get('/suppressions/15551234567')->data->{reason}, 'FERMA', 'these');
answered(says('/words', '15551234567', $to, 'START'), 200, 'START');
is(source($a), 'stop', 'is no word there');
answered(says('/words', '15551234567', $to, 'Inizia!'), 200, 'this is');
is(source($a), 'none', 'lifted');


=== TEST 7: who does not know the secret, or has not signed, is refused
--- check
my ($a, $to) = owner();
my $query = "from=15551234567&to=$to&text=STOP";
refused(ask(GET => "/secret?$query"), 403, 1020, 'no secret');
refused(ask(GET => "/secret?$query&secret=hus"), 403, 1020, 'another one');
is(source($a), 'none', 'nothing is done');
my $r = ask(GET => "/secret?$query&secret=hush");
is(join(' ', $r->status, $r->body), '200 OK', 'the secret in the query');
is(source($a), 'stop', 'done');
my $body = qq({"from":"15551234568","to":"$to","text":"STOP"});
refused(ask(POST => '/signed', 'application/json', $body), 403, 1020, 'not signed');
refused(ask(POST => '/signed', 'application/json', "$body ", 'X-Sig' => hmac_sha256_hex($body, 'key')), 403, 1020, 'another body');
answered(ask(POST => '/signed', 'application/json', $body, 'X-Sig' => hmac_sha256_hex($body, 'key')), 200, 'signed');
is(source($a, '15551234568'), 'stop', 'done');


=== TEST 8: once a STOP is answered, a running campaign claims nothing more to that number
--- check
my ($a, $to) = owner('HELD');
my @numbers = numbers(60);
my $c = $a->make('/campaigns', { from => $to, channel => 'HELD', text => 'Hello', to => \@numbers });
wait_for { requests('HELD') >= 2 };
my %claimed = map { decode($_)->{to} => 1 } map { split /\n/, $a->get("/campaigns/$c->{id}/messages?filter[status]=$_", Accept => 'application/x-ndjson')->body } qw(enroute sent);
my ($stop) = grep { !$claimed{$_} } reverse @numbers;
$stop //= die 'all are claimed';
answered(says('/inbound', $stop, $to, 'Stop'), 200, 'STOP');
gateway()->tell('go');
is(counts(settled($a, $c)), 'completed: 59 sent, 1 skipped of 60', 'it is skipped');
is(scalar(grep { $_ eq $stop } sent_by(requests('HELD'))), 0, 'and got nothing');


=== TEST 9: every inbound message is an event for the owner's webhook
--- check
my ($a, $to) = owner();
my $hook = $a->make('/webhooks', { url => 'https://example.com/hook', event => 'message' });
answered(says('/inbound', '+15551234567', $to, "Hi \x{263a}"), 200, 'a message');
answered(says('/inbound', 'Friend', $to, 'STOP'), 200, 'one from a name');
answered(says('/inbound', '15551234567', $to, 'x' x 6000), 200, 'a long one');
answered(ask(GET => "/inbound?from=15551234567&to=$to&text=%ff%fe"), 200, 'one that is no text');
is($a->get("/webhooks/$hook->{id}/deliveries")->page->{total}, 4, 'four events');
