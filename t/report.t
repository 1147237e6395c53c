# The report of a campaign: what became of its messages, why, at what cost, and how fast.  What `validity` does is seen there.

use lib 't/lib';
use Campaign;
use Campaign::Sending;
use Test::Nginx::Socket 'no_plan';
use Time::HiRes qw(sleep time);

gateway(sub {
    my $r = shift;

    return { until => 'go' } if $r->{path} eq '/held';
    return 200 if $r->{path} ne '/mixed';
    return decode($r->{body})->{data}{to}[0] =~ /([3-9])\z/ ? { 3 => 403, 4 => 404, 5 => 500 }->{$1} // 200 : 200;
});

$Campaign::HttpConfig .= "campaign_retry attempts=2 min=20ms max=60ms;\n";
$Campaign::Config .= join '', (map { channel($_, '') } qw(PLAIN MIXED NAMED SLOW LATE)), channel('GOOD', 'receipts=off'), channel('HELD', 'concurrency=8');

sub report { my ($account, $c) = @_; my $r = $account->get("/campaigns/$c->{id}/report"); return $r->status == 200 ? $r->data : { status => $r->body } }

# seconds since 1970 of a date
sub seconds {
    my ($y, $m, $d, $h, $min, $s) = ($_[0] // '') =~ /\A(\d{4})-(\d\d)-(\d\d) (\d\d):(\d\d):(\d\d)\z/ or return 0;
    require Time::Local;
    return Time::Local::timegm($s, $min, $h, $d, $m - 1, $y);
}

run_tests();

__DATA__

=== TEST 1: the report of a campaign that is completed
--- check
my $a = account(rate => 500.5);
my $c = start($a, 'PLAIN', to => [numbers(3)], text => 'x' x 161);
settled($a, $c);
my $r = report($a, $c);
is_deeply([sort keys %$r], [sort qw(campaign_id status messages reasons segments rate start_date finish_date redelivered uncertain)], 'fields');
is($r->{campaign_id}, $c->{id}, 'campaign_id');
is($r->{status}, 'completed', 'status');
is_deeply($r->{messages}, { total => 3, pending => 0, enroute => 0, sent => 3, delivered => 0, failed => 0, canceled => 0, skipped => 0 }, 'messages');
is_deeply($r->{reasons}, [], 'reasons');
is_deeply($r->{segments}, { total => 6, accepted => 6 }, 'segments');
is($r->{rate}{limit}, 500.5, "the account's rate");
cmp_ok($r->{rate}{actual}, '>', 0, 'and the one that was reached');
cmp_ok(seconds($r->{start_date}), '>', time - 60, 'start_date');
cmp_ok(seconds($r->{finish_date}), '>=', seconds($r->{start_date}), 'finish_date');
is_deeply([@$r{qw(redelivered uncertain)}], [0, 0], 'nothing was uncertain');
is_deeply(report($a, $c), $r, 'and it stays so');
is($a->head("/campaigns/$c->{id}/report")->status, 200, 'HEAD');


=== TEST 2: reasons are counted, and only what was accepted counts as that
--- check
my $a = account();
my $c = start($a, 'MIXED', to => [map { 15550000000 + $_ . '' } 0 .. 19]);
settled($a, $c);
my $r = report($a, $c);
is_deeply($r->{reasons}, [{ status => 'failed', reason => 'gateway_4xx', count => 4 }, { status => 'failed', reason => 'gateway_5xx', count => 2 }], 'reasons');
is_deeply([@{ $r->{messages} }{qw(total sent failed)}], [20, 14, 6], 'messages');
is_deeply($r->{segments}, { total => 20, accepted => 14 }, 'segments');


=== TEST 3: the segments of what waits are those of its own texts
--- check
my $a = account();
my $list = $a->make('/audiences', { name => 'named', channel => 'NAMED', contacts => [
    (map { { number => '' . (15550000000 + $_), first_name => 'Ann' } } 1 .. 10),
    (map { { number => '' . (15560000000 + $_), first_name => "\x{142}" x 32 } } 1 .. 10) ] });
$a->{senders}{NAMED} = $a->sender(channel => 'NAMED');
my $text = 'Hello {first_name}' . 'x' x 50;
my $c = $a->make('/campaigns', { from => 'Acme', channel => 'NAMED', text => $text, audience => $list->{id}, schedule => '2100-01-01 00:00:00' });
my $r = report($a, $c);
is_deeply($r->{segments}, { total => 10 + 20, accepted => 0 }, 'while it is scheduled: one each, and two each of the long UCS-2 names');
is_deeply([@$r{qw(status start_date finish_date)}], ['scheduled', undef, undef], 'it has no dates yet');
is_deeply($r->{rate}, { limit => 1000, actual => 0 }, 'nor a rate');
answered($a->put("/campaigns/$c->{id}", { status => 'canceled' }), 200, 'canceled');
$r = report($a, $c);
is_deeply($r->{segments}, { total => 0, accepted => 0 }, 'what is canceled has none');
is_deeply($r->{reasons}, [{ status => 'canceled', reason => 'canceled', count => 20 }], 'reasons');
ok($r->{finish_date}, 'it is finished');
my $sent = start($a, 'NAMED', to => undef, audience => $list->{id}, text => $text);
settled($a, $sent);
is_deeply(report($a, $sent)->{segments}, { total => 30, accepted => 30 }, 'when all is sent it is the same number');


=== TEST 4: while messages are in flight all add up
--- check
my $a = account();
my $c = start($a, 'HELD', to => [numbers(30)], text => 'x' x 200);
ok(wait_for(sub { requests('HELD') == 8 }), 'eight are in flight');
my $r = report($a, $c);
is($r->{status}, 'in_progress', 'it runs');
is_deeply($r->{segments}, { total => 60, accepted => 0 }, 'segments of all');
is($r->{messages}{pending} + $r->{messages}{enroute}, 30, 'messages');
cmp_ok($r->{messages}{enroute}, '>=', 8, 'enroute are at least those that the gateway has');
gateway()->tell('go');
is(counts(settled($a, $c)), 'completed: 30 sent of 30', 'then they go on');
is_deeply(report($a, $c)->{segments}, { total => 60, accepted => 60 }, 'segments');


=== TEST 5: the end is estimated while it runs, and nobody knows it while it is paused
--- check
my $a = account(rate => 10, burst => 1);
my $c = start($a, 'SLOW', to => [numbers(100)]);
my $r;
wait_for { ($r = report($a, $c))->{status} eq 'in_progress' };
my $left = $r->{messages}{pending} + $r->{messages}{enroute};
my $in = seconds($r->{finish_date}) - time;
ok($in > $left / 10 - 2 && $in < $left / 10 + 2, 'the rest at the rate of the account') or diag "$left left, $in s";
answered($a->put("/campaigns/$c->{id}", { status => 'paused' }), 200, 'paused');
is(report($a, $c)->{finish_date}, undef, 'no finish_date');
answered($a->put("/campaigns/$c->{id}", { status => 'canceled' }), 200, 'canceled');
wait_for { report($a, $c)->{messages}{enroute} == 0 };
$r = report($a, $c);
is($r->{messages}{sent} + $r->{messages}{canceled}, 100, 'what was sent and what was not');
is_deeply($r->{segments}, { total => $r->{messages}{sent}, accepted => $r->{messages}{sent} }, 'segments of what was sent');


=== TEST 6: what is not handed to the gateway in time is failed: expired
--- check
my $a = account(rate => 20, burst => 1);
my $c = start($a, 'LATE', to => [numbers(100)], validity => 2);
my $end = settled($a, $c, 15);
is($end->{status}, 'completed', 'it ends');
my $r = report($a, $c);
my $sent = $r->{messages}{sent};
cmp_ok($sent, '>', 5, 'some were in time');
cmp_ok($sent, '<', 65, 'and some were not');                # the second of the start counts as a whole
is($sent, scalar requests('LATE'), 'the gateway got the former alone');
is_deeply($r->{reasons}, [{ status => 'failed', reason => 'expired', count => 100 - $sent }], 'reason');
is_deeply($r->{segments}, { total => $sent, accepted => $sent }, 'what never went out has no segments');
my $all = start($a, 'GOOD', to => [numbers(1)], validity => 604800);
settled($a, $all);
is(report($a, $all)->{messages}{delivered}, 1, 'a long validity is no hindrance');
refused($a->post('/campaigns', { from => 'Acme', channel => 'GOOD', text => 'x', to => [numbers(1)], validity => $_ }), 400, 1622, 'validity ' . json($_))
    for 0, -1, 604801, 1.5, '60';


=== TEST 7: a campaign that is not there has no report
--- check
my ($a, $b) = (account(), account());
$a->sender(channel => 'PLAIN');
my $c = $a->campaign(channel => 'PLAIN');
refused($a->get('/campaigns/00000000-0000-4000-8000-000000000000/report'), 404, 1601, 'unknown');
refused($a->get('/campaigns/x/report'), 400, 1602, 'no UUID');
refused($b->get("/campaigns/$c->{id}/report"), 404, 1601, "another account's");
refused($a->post("/campaigns/$c->{id}/report", {}), 405, 1013, 'it is only read');


=== TEST 7: what expires takes nothing of the account's rate
--- check
my $a = account(rate => 20, burst => 1);
my $from = time;
my @c = (start($a, 'LATE', to => [numbers(400)], validity => 1), start($a, 'GOOD', to => [numbers(60)]));
my @end = map { settled($a, $_, 30) } @c;
my $took = time - $from;
cmp_ok($end[0]{messages}{failed}, '>=', 340, 'most of a campaign expires');
is($end[1]{messages}{delivered}, 60, 'another one of the account is sent');
# two seconds at 10 a second each, then 40 at 20 a second; 6 s if both still had their shares, 20 s if all had to take its turn
cmp_ok($took, '<', 5.2, 'at the whole rate, when the first has expired') or diag(map { counts($_) . "\n" } @end);
