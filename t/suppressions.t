# Numbers that an account's messages do not go to: made one by one, in lists and uploads, listed, exported, lifted; and what they hold back.

use lib 't/lib';
use Campaign;
use Campaign::Sending;
use Test::Nginx::Socket 'no_plan';
use Time::HiRes qw(time);

gateway(sub {
    my $r = shift;
    return { until => 'go' } if $r->{path} eq '/held';
    return $r->{try} == 1 ? 503 : { until => 'again' } if $r->{path} eq '/again';
    return 200;
});

$Campaign::HttpConfig .= "campaign_retry attempts=5 min=300ms max=300ms;\nclient_max_body_size 16m;\n";
$Campaign::Config .= join '', channel('HELD', 'concurrency=4'), channel('AGAIN', ''), map { channel($_, '') } qw(FREE MANY SCHED);

my $far = '2100-01-01 00:00:00';

sub far { $far }

# an upload's answer as created, duplicates, invalid, lines and codes told
sub told {
    my $d = shift->data;
    return join ' ', @$d{qw(created duplicates invalid)}, map { "$_->{line}:$_->{code}" } @{ $d->{errors} };
}

sub upload { my ($client, $type, $body, $query) = @_; $client->post('/suppressions' . ($query // ''), $body, 'Content-Type' => $type) }
sub listed { my ($client, $query) = @_; join ' ', map { $_->{number} } @{ $client->get('/suppressions?page_size=100' . ($query // ''))->data } }

# the campaign's numbers with a status, sorted
sub with {
    my ($client, $campaign, $status) = @_;
    my $csv = $client->get("/campaigns/$campaign->{id}/messages?filter[status]=$status", Accept => 'application/x-ndjson')->body;
    return join ' ', sort map { decode($_)->{to} } split /\n/, $csv;
}

sub suppressed { my ($client, $campaign) = @_; ($_) = map { $_->{count} } grep { $_->{reason} eq 'suppressed' } @{ $client->get("/campaigns/$campaign->{id}/report")->data->{reasons} }; $_ // 0 }

run_tests();

__DATA__

=== TEST 1: a suppression is shown as the contract has it, a repeat is 200
--- check
my $a = account();
my $campaign = '01234567-89ab-8def-8123-456789abcdef';
my $r = $a->post('/suppressions', { number => '+15551234567', channel => 'sms', from => 'Acme', reason => 'asked by phone', campaign_id => $campaign, expire_date => far() });
answered($r, 201, 'made');
my $s = $r->data;
like($s->{create_date}, qr/\A\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\z/, 'date');
my %shown = (number => '15551234567', channel => 'SMS', from => 'Acme', source => 'api', reason => 'asked by phone', campaign_id => $campaign,
             create_date => $s->{create_date}, expire_date => far(), links => { self => '/v1/suppressions/15551234567?channel=SMS&from=Acme', account => '/v1/accounts/' . $a->id });
is_deeply($s, \%shown, 'fields');
is_deeply($a->get($s->{links}{self})->data, $s, 'read back it is the same');
$r = $a->post('/suppressions', { number => '15551234567', channel => 'SMS', from => 'Acme', reason => 'other' });
answered($r, 200, 'once more');
is_deeply($r->data, { %shown, expire_date => undef }, 'it lasts longer now, all else is as it was');
is_deeply($a->post('/suppressions', { number => '15551234567', channel => 'SMS', from => 'Acme', expire_date => far() })->data->{expire_date}, undef, 'and not shorter again');
$r = $a->post('/suppressions', { number => '15551234567' });
answered($r, 201, 'for all channels and senders it is another one');
is_deeply([@{ $r->data }{qw(channel from reason campaign_id expire_date)}], [(undef) x 5], 'nulls');
is($r->data->{links}{self}, '/v1/suppressions/15551234567', 'self');
is($a->get('/suppressions/+15551234567')->data->{channel}, undef, 'the widest comes first');
is($a->get('/suppressions')->page->{total}, 2, 'both are counted');
answered($a->delete('/suppressions/15551234567?channel=SMS'), 204, 'one is lifted');
is(listed($a), '15551234567', 'the other one stays');
answered($a->delete('/suppressions/15551234567'), 204, 'lifted');
refused($a->get('/suppressions/15551234567'), 404, 1850, 'it is gone');
refused($a->delete('/suppressions/15551234567'), 404, 1850, 'once more');
is($a->get('/suppressions')->page->{total}, 0, 'none are counted');


=== TEST 2: wrong fields, all in one reply
--- check
my $a = account();
my %wrong = (channel => 'PIGEON', from => '!', reason => 'x' x 71, campaign_id => 'x', expire_date => '2001-01-01');
refused($a->post('/suppressions', \%wrong), 400, [1851, 1853, 1855, 1856, 1857, 1858], 'all');
refused($a->post('/suppressions', { number => $_ }), 400, 1852, 'number ' . json($_)) for '123456', '0123456789', '1234567890123456', 15551234567, [];
refused($a->post('/suppressions', { number => '' }), 400, 1851, 'an empty number');
refused($a->post('/suppressions', { number => '15551234567', expire_date => '2020-01-01 00:00:00' }), 400, 1858, 'the past');
refused($a->post('/suppressions', { number => '15551234567', from => '' }), 400, 1855, 'an empty sender');
refused($a->post('/suppressions', []), 400, 1007, 'an empty list');
refused($a->post('/suppressions', [map { '' . (15550000000 + $_) } 0 .. 1000]), 400, 1854, '1001 of them');
my $r = $a->post('/suppressions', ['15551234567', { number => '1' }, 5, { number => '15551234568', channel => 'x' }]);
refused($r, 400, [1852, 1853, 1860], 'a list');
is(join('; ', map { /\A'(.*?)'/ } $r->messages), 'data[1]; data[3]; data[2]', 'says which');
refused($a->call($_->[0], "/suppressions/$_->[1]"), 400, 1852, "$_->[0] $_->[1]") for map { my $m = $_; map { [$m, $_] } 'x', '123', '01234567' } 'GET', 'DELETE';
refused($a->get('/suppressions/15551234567?channel=x'), 400, 1009, 'a channel that is none');
refused($a->get("/suppressions?filter[$_]"), 400, 1009, $_) for 'number]=x', 'number]=1234567890123456', 'source]=x', 'channel]=x', 'number]=+';
answered($a->post('/suppressions', { number => '15551230000', from => $_ }), 201, $_) for map { "S$_" } 1 .. 15;
refused($a->post('/suppressions', { number => '15551230000', from => 'S16' }), 409, 1859, 'too many scopes');
is(told($a->post('/suppressions', [{ number => '15551230000', from => 'S16' }, '15551230001'])), '1 0 1', 'of a list it is invalid');
answered($a->post('/suppressions', { number => '15551230000' }), 201, 'for all there is room');
answered($a->post('/suppressions', { number => '15551230000', from => 'S3' }), 200, 'one of the 15');
is(listed($a), join(' ', ('15551230000') x 16, '15551230001'), 'none of the wrong ones was made');


=== TEST 3: several, CSV and NDJSON are counted as uploads of contacts are
--- check
my $a = account();
is(told($a->post('/suppressions', ['15550000001', { number => '15550000002', reason => 'x' }, '+15550000001'])), '2 1 0', 'a list');
is($a->get('/suppressions/15550000002')->data->{source}, 'api', 'its source');
my $csv = "\xef\xbb\xbfNumber,ignored,reason,channel,from,expire_date\r\n15550000003,x,\"said: \"\"no\"\"\",sms,Acme,2100-01-01 00:00:00\r\n15550000001,,,,,\r\n12,,,,,\r\n15550000004,,'=1+1,,,\r\n15550000005,,,x,,\r\n,,,,,\r\n15550000006,\"x\r\n";
my $r = upload($a, 'text/csv', $csv);
answered($r, 201, 'CSV');
is(told($r), '2 1 4 4:1852 6:1853 7:1851 8:1860', 'lines');
my $s = $a->get('/suppressions/15550000003')->data;
is(join(' | ', map { $_ // '' } @$s{qw(channel from source reason expire_date)}), 'SMS | Acme | import | said: "no" | 2100-01-01 00:00:00', 'fields');
is($a->get('/suppressions/15550000004')->data->{reason}, '=1+1', "a ' in front of a formula is an export's");
is(told(upload($a, 'application/x-ndjson', qq({"number":"15550000007"}\n"15550000008"\n[]\n{"number":"15550000007"}\n{"number":"15550000008"}\n))), '2 1 2 2:1005 3:1860', 'NDJSON');
refused(upload($a, 'text/csv', "reason\nx\n"), 400, 1851, 'a header row without a number');
refused(upload($a, 'text/csv', ''), 400, 1007, 'nothing');
refused(upload($a, 'text/csv', "number\n15550000009\nx\n", '?strict=true'), 400, 1852, 'strict');
is(listed($a), join(' ', map { "1555000000$_" } 1, 2, 3, 4, 7, 8), 'what is there');
my $now = time;
$r = upload($a, 'text/csv', "number\n" . join '', map { 16000000000 + $_ . "\n" } 1 .. 100_000);
is(told($r), '100000 0 0', '100 000 lines');
cmp_ok(time - $now, '<', 20, sprintf 'in %.2f s', time - $now);
refused(upload($a, 'text/csv', "number\n" . join '', map { 16000000000 + $_ . "\n" } 0 .. 100_000), 400, 1861, 'one more');
is($a->get('/suppressions')->page->{total}, 100_006, 'total');


=== TEST 4: lists by number, channel and source, page by page, both ways
--- check
my $a = account();
my @numbers = map { '4915' . (100 + 7 * $_) . '0' x ($_ % 4) } 1 .. 40;
is(told($a->post('/suppressions', [map { { number => $numbers[$_], $_ % 3 ? () : (channel => 'VIBER') } } 0 .. 39])), '40 0 0', 'made');
is(told(upload($a, 'text/csv', "number\n15550000001\n15550000002\n")), '2 0 0', 'uploaded');
my @sorted = sort '15550000001', '15550000002', @numbers;
is(listed($a), "@sorted", 'in the order of their digits');
for my $query ('', '&filter[number]=4915', '&filter[channel]=viber', '&filter[source]=IMPORT', '&filter[number]=49151&filter[source]=api', '&filter[number]=999') {
    my @want = $query =~ /number\]=(\d+)/ ? grep { /\A$1/ } @sorted : @sorted;
    @want = sort @numbers[map { 3 * $_ } 0 .. 13] if $query =~ /channel/;
    @want = grep { $query =~ /IMPORT/ ? !/\A49/ : /\A49/ } @want if $query =~ /source/;
    is(listed($a, $query), "@want", "list $query");
    my ($at, @pages, @totals) = "/suppressions?page_size=7$query";
    while (defined $at) {
        my $r = $a->get($at);
        push @pages, [map { $_->{number} } @{ $r->data }];
        push @totals, $r->page->{total};
        is($r->page->{number}, scalar @pages, 'number of the page');
        last if !defined $r->page->{links}{next};
        $at = $r->page->{links}{next};
    }
    is(join(' ', map { @$_ } @pages), "@want", "pages $query");
    is(join(' ', grep { $_ != @want } @totals), '', 'total');
    for (reverse 0 .. $#pages - 1) {
        $at = $a->get($at)->page->{links}{previous};
        is(join(' ', map { $_->{number} } @{ $a->get($at)->data }), "@{ $pages[$_] }", "back to page $_") if ok(defined $at, 'a page before');
    }
    is($a->get($at)->page->{links}{previous}, undef, 'the first page has none before it') if @pages;
}
my ($token) = $a->get('/suppressions?page_size=7')->page->{links}{next} =~ /page_token=([\w-]+)/;
refused($a->get("/suppressions?page_size=7&filter[number]=49&page_token=$token"), 400, 1009, 'a token of another list');
answered($a->delete("/suppressions/$sorted[6]"), 204, 'the last of a page is lifted');
is($a->get("/suppressions?page_size=1&page_token=$token")->data->[0]{number}, $sorted[7], 'the next page begins where it did');
refused(account()->get("/suppressions?page_size=7&page_token=$token"), 400, 1009, "another account's token");


=== TEST 5: an export has all of them, its formulas are guarded, and it can be imported again
--- check
my ($a, $b) = (account(), account());
$a->post('/suppressions', [{ number => '15550000001', reason => '=HYPERLINK("x")', from => 'Acme' }, { number => '15550000002', channel => 'SMS', expire_date => far() }]);
upload($a, 'text/csv', "number\n" . join '', map { 15551000000 + $_ . "\n" } 1 .. 500);
my $r = $a->get('/suppressions', Accept => 'text/csv');
answered($r, 200, 'CSV');
is($r->header('content-disposition'), 'attachment; filename="suppressions.csv"', 'as a file');
my @lines = split /\r\n/, $r->body;
is($lines[0], 'number,channel,from,source,reason,campaign_id,create_date,expire_date', 'columns');
like($lines[1], qr/\A15550000001,,Acme,api,"'=HYPERLINK\(""x""\)",,\d{4}-[-\d: ]+,\z/, 'a formula is guarded');
is(scalar @lines, 503, 'lines');
like($a->get('/suppressions?raw=true', Accept => 'text/csv')->body, qr/Acme,api,"=HYPER/, 'raw=true');
is(told(upload($b, 'text/csv', $r->body)), '502 0 0', 'imported');
my $strip = sub { $_[0]->get('/suppressions', Accept => 'text/csv')->body =~ s/,(?:api|import),/,,/gr =~ s/,[-\d: ]{19}(?=,)/,/gr };
is($strip->($b), $strip->($a), 'nothing is lost');
my @objects = map { decode($_) } split /\n/, $a->get('/suppressions?filter[number]=1555000', Accept => 'application/x-ndjson')->body;
is_deeply(\@objects, $a->get('/suppressions?filter[number]=1555000')->data, 'NDJSON has the objects of the list');


=== TEST 6: a scheduled campaign skips who is suppressed before it starts, and an inline one too
--- check
my $a = account();
$a->{senders}{SCHED} = $a->sender(channel => 'SCHED');
my $list = $a->audience(channel => 'SCHED', contacts => [numbers(6)]);
my $c = $a->campaign(channel => 'SCHED', to => undef, audience => $list->{id});
answered($a->post('/suppressions', { number => (numbers(6))[2] }), 201, 'suppressed');
answered($a->post('/suppressions', { number => (numbers(6))[3], channel => 'SCHED', from => 'Acme' }), 201, 'on its channel, from its sender');
answered($a->post('/suppressions', { number => (numbers(6))[4], channel => 'FREE' }), 201, 'on another channel');
answered($a->post('/suppressions', { number => (numbers(6))[5], from => 'Other' }), 201, 'from another sender');
answered($a->put("/campaigns/$c->{id}", { schedule => POSIX::strftime('%Y-%m-%d %H:%M:%S', gmtime time + 2) }), 200, 'it starts soon');
is(counts(settled($a, $c)), 'completed: 4 sent, 2 skipped of 6', 'counters');
is(join(' ', sent_by(requests('SCHED'))), join(' ', (numbers(6))[0, 1, 4, 5]), 'the others got it');
is(with($a, $c, 'skipped'), join(' ', (numbers(6))[2, 3]), 'messages');
is(suppressed($a, $c), 2, 'report');
my $second = start($a, 'SCHED', to => [numbers(4)]);
is(counts(settled($a, $second)), 'completed: 2 sent, 2 skipped of 4', 'a campaign of numbers');
my $third = start($a, 'SCHED', to => [(numbers(4))[2, 3]]);
is(counts(settled($a, $third)), 'failed: 2 skipped of 2', 'nobody left');
my $other = account();
is(counts(settled($other, start($other, 'SCHED', to => [numbers(4)]))), 'completed: 4 sent of 4', "another account's is not concerned");


=== TEST 7: after the answer nothing to that number is claimed in a running campaign, and what is in flight finishes
--- check
my $a = account(rate => 5000, burst => 500);
my $c = start($a, 'HELD', to => [numbers(400)]);
wait_for { requests('HELD') >= 4 };
my %flight = map { $_ => 1 } sent_by(requests('HELD'));
my $claimed = {};
wait_for { $claimed = { map { $_ => 1 } split / /, with($a, $c, 'enroute') }; keys %$claimed >= 4 };
my @later = grep { !$claimed->{$_} } numbers(400);
my @stop = (@later)[grep { $_ % 3 == 0 } 0 .. $#later];
cmp_ok(scalar @stop, '>', 50, scalar(@stop) . ' are suppressed, ' . keys(%$claimed) . ' are claimed');
is(told($a->post('/suppressions', \@stop)), @stop . ' 0 0', 'answered');
my ($inflight) = sort keys %flight;
answered($a->post('/suppressions', { number => $inflight }), 201, 'one that is in flight');
gateway()->tell('go');
my $n = 400 - @stop;
is(counts(settled($a, $c)), "completed: $n sent, " . @stop . ' skipped of 400', 'counters');
my %stop = map { $_ => 1 } @stop;
is(scalar(grep { $stop{$_} } sent_by(requests('HELD'))), 0, 'none of them got a message');
ok((grep { $_ eq $inflight } sent_by(requests('HELD'))), 'who was on the way got it');


=== TEST 8: a repeat that waits for its time is held back, too
--- check
my $a = account();
my $c = start($a, 'AGAIN', to => [numbers(3)]);
wait_for { requests('AGAIN') >= 3 };
my ($one) = numbers(1);
answered($a->post('/suppressions', { number => $one }), 201, 'suppressed between two tries');
gateway()->tell('again');
is(counts(settled($a, $c)), 'completed: 2 sent, 1 skipped of 3', 'counters');
is(scalar(grep { $_ eq $one } sent_by(requests('AGAIN'))), 1, 'it had one try');


=== TEST 9: lifted and expired ones hold back nothing
--- check
my $a = account();
my @n = numbers(3);
my $soon = POSIX::strftime('%Y-%m-%d %H:%M:%S', gmtime time + 2);
answered($a->post('/suppressions', { number => $n[0] }), 201, 'one');
answered($a->post('/suppressions', { number => $n[1], expire_date => $soon }), 201, 'one for two seconds');
answered($a->post('/suppressions', { number => $n[2] }), 201, 'one that stays');
answered($a->delete("/suppressions/$n[0]"), 204, 'lifted');
wait_for { $a->get("/suppressions/$n[1]")->status == 404 };
refused($a->get("/suppressions/$n[1]"), 404, 1850, 'expired');
is(listed($a), $n[2], 'and not in the list');
is($a->get('/suppressions')->page->{total}, 1, 'nor counted');
refused($a->delete("/suppressions/$n[1]"), 404, 1850, 'nor to be lifted');
is(counts(settled($a, start($a, 'FREE', to => \@n))), 'completed: 2 sent, 1 skipped of 3', 'a campaign');
is($a->get('/suppressions')->page->{total}, 1, 'still one');
answered($a->post('/suppressions', { number => $n[1] }), 201, 'suppressed anew');


=== TEST 10: 100 000 suppressed ones in a row hold nobody up, and cost no rate
--- check
my $a = account(rate => 20, burst => 5);
my $b = account(rate => 100, burst => 10);
is(told(upload($a, 'text/csv', "number\n" . join '', map { 15560000000 + $_ . "\n" } 1 .. 100_000)), '100000 0 0', 'suppressed');
my $list = $a->audience(channel => 'MANY', contacts => []);
answered($a->post("/audiences/$list->{id}/contacts", "number\n" . join('', map { 15560000000 + $_ . "\n" } 2 .. 100_000) . "15550000009\n", 'Content-Type' => 'text/csv'), 201, 'audience');
$a->sender(channel => 'MANY');
my $now = time;
my $c = $a->make('/campaigns', { from => 'Acme', channel => 'MANY', text => 'Hello', audience => $list->{id} });
my $beside = start($b, 'FREE', to => [numbers(30)]);
is(counts(settled($b, $beside)), 'completed: 30 sent of 30', 'another account meanwhile');
is(counts(settled($a, $c, 30)), 'completed: 1 sent, 99999 skipped of 100000', 'counters');
my $took = time - $now;
cmp_ok($took, '<', 20, sprintf 'in %.2f s', $took);
is(join(' ', sent_by(requests('MANY'))), '15550000009', 'one message');


=== TEST 11: a dry run counts them apart
--- check
my $a = account(rate => 10);
$a->sender();
$a->post('/suppressions', [(numbers(10))[2, 3], { number => (numbers(10))[4], channel => 'VIBER' }]);
my $list = $a->audience(contacts => [numbers(10)]);
for my $to ({ to => [numbers(10)] }, { audience => $list->{id} }) {
    my $r = $a->post('/campaigns?dry_run=true', { from => 'Acme', channel => 'SMS', text => 'Hello', %$to });
    answered($r, 200, join ' ', keys %$to);
    is(join(' ', @{ $r->data }{qw(recipients suppressed duration)}, $r->data->{segments}{total}), '8 2 1 8', 'counts');
    is(scalar(grep { $_->{to} eq (numbers(10))[2] } @{ $r->data->{samples} }), 0, 'no sample of one');
}
my $r = $a->post('/campaigns?dry_run=true', { from => 'Acme', channel => 'SMS', text => 'Hello', to => [(numbers(10))[2, 3]] });
is(join(' ', $r->status, @{ $r->data }{qw(recipients suppressed duration)}, @{ $r->data->{segments} }{qw(total min max)}, @{ $r->data->{samples} }), '200 0 2 0 0 0 0', 'all of them');


=== TEST 12: a message alone to a suppressed number is refused, whoever else it is for
--- check
my $a = account();
$a->sender();
$a->sender(channel => 'VIBER');
answered($a->post('/suppressions', { number => $_, channel => 'SMS' }), 201, "$_ is suppressed") for '15551234567', '15551234568';
my %m = (from => 'Acme', channel => 'SMS', text => 'Hello');
my $r = $a->post('/messages', { %m, to => ['15551234567', '15551230000', '15551234568'] });
refused($r, 400, [1530, 1530], 'two of three');
is(join('; ', $r->messages), 'blocked number: 15551234567 is suppressed; blocked number: 15551234568 is suppressed', 'says which');
is($a->get('/messages')->page->{total}, 0, 'nothing was stored');
answered($a->post('/messages', { %m, to => ['15551234567'], channel => 'VIBER' }), 201, 'on another channel');
my $late = $a->post('/messages', { %m, to => ['15551230000'], schedule => POSIX::strftime('%Y-%m-%d %H:%M:%S', gmtime time + 2) })->data->[0];
answered($a->post('/suppressions', { number => '15551230000' }), 201, 'suppressed before its time');
my $m;
wait_for { $m = $a->get("/messages/$late->{id}")->data; $m->{status} ne 'scheduled' };
is("$m->{status} $m->{reason}", 'skipped suppressed', 'it is skipped');


=== TEST 13: a POST with an idempotency key is told again, 200 and 201 alike; an account goes with its suppressions
--- check
my $a = account();
my @said = map { my $key = $_; map { my $r = $a->post('/suppressions', { number => '15551234567' }, 'Idempotency-Key' => $key); join ' ', $r->status, $r->header('Idempotency-Replayed') // 'new' } 1, 2 } 'one', 'two';
is(join(', ', @said), '201 new, 201 true, 200 new, 200 true', 'answers');
my $read = admin()->post('/accounts/' . $a->id . '/keys', { scope => 'read' })->data->{api_key};
refused(nobody($read)->post('/suppressions', { number => '15551234567' }), 403, 1016, 'a key for reading');
answered(nobody($read)->get('/suppressions/15551234567'), 200, 'may read');
answered(admin()->delete('/accounts/' . $a->id), 204, 'the account is deleted');


=== TEST 14: those that expired are purged, though their account rests
--- check
my $a = account();
my $soon = POSIX::strftime('%Y-%m-%d %H:%M:%S', gmtime time + 3);
answered($a->post('/suppressions', { number => '15559999999' }), 201, 'one that stays');
is(told(upload($a, 'text/csv', "number,expire_date\n" . join '', map { 15560000000 + $_ . ",$soon\n" } 1 .. 12_000)), '12000 0 0', '12 000 for three seconds');
is($a->get('/suppressions')->page->{total}, 12_001, 'all are counted');
is(&wait_for(sub { !defined $a->get('/suppressions')->page->{total} }, 10), 1, 'they expired: too many to be taken out of the count one by one');
is(&wait_for(sub { ($a->get('/suppressions')->page->{total} // 0) == 1 }, 20), 1, 'they are deleted little by little, and the count is exact again');
is(listed($a), '15559999999', 'one lives');
