# campaign_status: what can be watched, as JSON and as Prometheus text.

use lib 't/lib';
use Campaign;
use Campaign::Sending;
use Test::Nginx::Socket 'no_plan';
use Time::HiRes qw(time);
use Time::Local qw(timegm);

gateway(sub {
    my $path = $_[0]{path};
    return { until => decode($_[0]{body})->{data}{to}[0] } if $path eq '/held';
    return { delay => 0.3 } if $path eq '/slow';
    return $path eq '/bad' ? 400 : $path eq '/later' ? { status => 500, headers => ['Retry-After: 3600'] }
        : $path eq '/again' && $_[0]{try} == 1 ? 500 : { delay => 0.02 };
});

$Campaign::HttpConfig .= "campaign_retry attempts=3 min=20ms max=60ms;\n";
$Campaign::Config .= join '', "location = /status { campaign_status; }\n", map { channel($_, $_ eq 'PLAIN' ? 'receipts=off' : '') } qw(GOOD BAD AGAIN PLAIN WAIT LATER SLOW LAG BURST);
$Campaign::Config .= channel('HELD', 'concurrency=4');

Test::Nginx::Util::workers(2);

sub look { decode(HTTP::Tiny->new->get("http://127.0.0.1:$ENV{TEST_NGINX_SERVER_PORT}/status")->{content})->{data} }

# what status tells of an account with one channel; of a channel
sub told { my $account = shift; (grep { $_->{account_id} eq $account->id } @{ look()->{accounts} })[0] }
sub told_of { my $channel = shift; (grep { $_->{channel} eq $channel } @{ look()->{gateways} })[0] }

run_tests();

__DATA__

=== TEST 1: JSON tells of dispatcher, store, gateways and accounts
--- check
my $account = account(rate => 500, burst => 50);
is(counts(settled($account, start($account, 'GOOD', to => [numbers(100)]))), 'completed: 100 sent of 100', 'a campaign is sent');
settled($account, start($account, 'BAD', to => [numbers(3)]));
settled($account, start($account, 'AGAIN', to => [numbers(4)]));
settled($account, start($account, 'PLAIN', to => [numbers(5)]));
my $s;
ok(wait_for(sub {
    my $r = HTTP::Tiny->new->get("http://127.0.0.1:$ENV{TEST_NGINX_SERVER_PORT}/status");
    $s = decode($r->{content})->{data};
    my ($a) = grep { $_->{account_id} eq $account->id && $_->{channel} eq 'GOOD' } @{ $s->{accounts} };
    return $a && $a->{achieved} > 0;
}), 'status tells of it');
my %a = map { $_->{channel} => $_ } grep { $_->{account_id} eq $account->id } @{ $s->{accounts} };
is($a{GOOD}{sent}, 100, 'sent');
is($a{GOOD}{rate}, 500, 'rate');
cmp_ok($a{GOOD}{achieved}, '<=', 50, 'achieved, of ten seconds');
is($a{GOOD}{in_flight} + $a{GOOD}{waiting}, 0, 'nothing is left');
is($a{BAD}{failed}, 3, 'failed');
is($a{AGAIN}{retried}, 4, 'retried');
is($a{AGAIN}{sent}, 4, 'and sent');
is($a{PLAIN}{delivered}, 5, 'delivered, where no receipts follow');
my ($g) = grep { $_->{channel} eq 'GOOD' } @{ $s->{gateways} };
is($g->{latency_seconds}{count}, 100, 'latency of each delivery');
cmp_ok($g->{latency_seconds}{sum}, '>=', 2, 'in seconds');
is($g->{concurrency}, 64, 'concurrency');
my $d = $s->{dispatcher};
is($d->{up}, 1, 'there is a dispatcher');
ok(kill(0, $d->{pid}), 'of this pid');
cmp_ok($d->{uptime}, '>', 0, 'for some time');
cmp_ok($d->{claims}, '>=', 112, 'claims');
cmp_ok($d->{turns}, '>', 0, 'turns');
cmp_ok($d->{commits}, '>=', $d->{turns}, 'commits');
is($d->{commit_seconds}{count}, $d->{commits} + $d->{commits_failed}, 'each with its time');
cmp_ok($s->{store}{size}, '>', 0, 'size of the store');
cmp_ok($s->{store}{free_pages} + $s->{store}{pages}, '<=', $s->{store}{size} / $s->{store}{page_size}, 'pages');
cmp_ok($s->{store}{readers}, '>=', 1, 'readers');


=== TEST 2: what waits is told with its age
--- check
my $account = account(rate => 1, burst => 1);
my $c = start($account, 'WAIT', to => [numbers(20)]);
my $a;
ok(wait_for(sub {
    $a = told($account);
    return $a && $a->{oldest} >= 1;
}), 'it grows old');
cmp_ok($a->{waiting}, '<', 20, 'some went');
cmp_ok($a->{waiting}, '>', 10, 'the others wait');
my $started = timegm(reverse split /\D/, ($account->get("/campaigns/$c->{id}/report")->data->{start_date} =~ s/-(\d\d)/'-' . ($1 - 1)/er));
my $since = $a->{oldest};
ok(wait_for(sub {
    $a = told($account);
    return $a->{oldest} > $since;
}), 'and older');
cmp_ok(abs(time - $started - $a->{oldest}), '<=', 1, 'by the time since it started');
$account->put("/campaigns/$c->{id}", { status => 'canceled' });

my $later = account();
$c = start($later, 'LATER', to => [numbers(7)]);
ok(wait_for(sub {
    $a = told($later);
    return $a && $a->{in_flight} == 0 && $a->{oldest} >= 1;
}), 'what waits for a repeat grows old, too');
is($a->{waiting}, 7, 'and is told of');
$later->put("/campaigns/$c->{id}", { status => 'canceled' });
ok(wait_for(sub {
    $a = told($later);
    return $a && $a->{waiting} == 0;
}), 'until it is canceled');


=== TEST 3: Prometheus text, asked for by argument or by Accept, and promtool takes it
--- check
my $url = "http://127.0.0.1:$ENV{TEST_NGINX_SERVER_PORT}/status";
my $text = HTTP::Tiny->new->get("$url?format=prometheus");
like($text->{headers}{'content-type'}, qr{^text/plain; version=0\.0\.4}, 'its type');
like($text->{content}, qr/^campaign_messages_sent_total\{account="[0-9a-f-]{36}",channel="GOOD"\} 100$/m, 'a counter');
like($text->{content}, qr/^campaign_gateway_latency_seconds_bucket\{channel="GOOD",le="\+Inf"\} 100$/m, 'a histogram');
my $accept = HTTP::Tiny->new->get($url, { headers => { Accept => 'application/openmetrics-text;version=1.0.0;q=0.5,text/plain;version=0.0.4;q=0.3' } });
like($accept->{headers}{'content-type'}, qr{^text/plain}, 'by Accept');
is(HTTP::Tiny->new->get($url, { headers => { Accept => 'text/html,*/*' } })->{headers}{'content-type'}, 'application/json', 'a browser gets JSON');
my %type = $text->{content} =~ /^# TYPE (\S+) (\S+)$/mg;
my @bad = grep { /^campaign/ && !/^(\w+)(?:\{[^}]*\})? [0-9.]+$/ } split /\n/, $text->{content};
is_deeply(\@bad, [], 'each line is a sample');
my %seen;
my @apart = grep { my ($m) = /^(\w+)/; $m =~ s/_(?:bucket|sum|count)$// if !$type{$m}; !$type{$m} } grep { !/^#/ } split /\n/, $text->{content};
is_deeply(\@apart, [], 'of a metric with a type');
is(HTTP::Tiny->new->request('POST', $url)->{status}, 405, 'no other method');
SKIP: {
    my $promtool = $ENV{PROMTOOL} // (grep { -x } 'build/promtool/usr/bin/promtool', '/usr/bin/promtool')[0];
    Test::More::skip('no promtool here', 1) if !$promtool;
    my $file = store_dir() =~ s/-store\z/-metrics/r;
    open my $out, '>', $file or die $!;
    print $out $text->{content};
    close $out;
    is(`$promtool check metrics < $file 2>&1`, '', 'promtool has nothing to say');
}


=== TEST 4: counters outlive a reload
--- check
my $url = "http://127.0.0.1:$ENV{TEST_NGINX_SERVER_PORT}/status";
my $before = decode(HTTP::Tiny->new->get($url)->{content})->{data}{dispatcher};
open my $in, '<', Test::Nginx::Util::server_root() . '/logs/nginx.pid' or die $!;
chomp(my $master = <$in>);
kill HUP => $master or die $!;
my $after;
ok(wait_for(sub {
    $after = decode(HTTP::Tiny->new->get($url)->{content} || '{}')->{data}{dispatcher};
    return $after && $after->{takeovers} > $before->{takeovers} && $after->{up};
}, 10), 'another dispatcher');
isnt($after->{pid}, $before->{pid}, 'in another process');
cmp_ok($after->{claims}, '>=', $before->{claims}, 'counts on');
cmp_ok($after->{uptime}, '<', 10, 'from now');


=== TEST 5: while a gateway holds its answers, what is in flight and what waits is told exactly
--- check
my $account = account(rate => 10000, burst => 1000);
my @to = numbers(10);
my $c = start($account, 'HELD', to => \@to);
my $figures = sub { my $a = told($account) or return ''; join ' ', map { "$_ $a->{$_}" } qw(in_flight waiting sent) };
my $now;
for my $answered (0 .. 10) {
    gateway()->tell($to[$answered - 1]) if $answered;
    my $in_flight = $answered > 6 ? 10 - $answered : 4;
    my $want = "in_flight $in_flight waiting " . (10 - $answered - $in_flight) . " sent $answered";
    wait_for { ($now = $figures->()) eq $want };
    is($now, $want, "$answered are answered");
    my $g = told_of('HELD');
    is("$g->{in_flight} of $g->{concurrency}", "$in_flight of 4", 'and the gateway has as many');
}
is(counts(settled($account, $c)), 'completed: 10 sent of 10', 'all are sent');


=== TEST 6: the time of an answer is in the bucket that it belongs to
--- check
my $account = account();
is(counts(settled($account, start($account, 'SLOW', to => [numbers(5)]))), 'completed: 5 sent of 5', 'sent to a gateway that takes 0.3 s');
my $text = HTTP::Tiny->new->get("http://127.0.0.1:$ENV{TEST_NGINX_SERVER_PORT}/status?format=prometheus")->{content};
my %bucket = $text =~ /^campaign_gateway_latency_seconds_bucket\{channel="SLOW",le="([^"]+)"\} (\d+)$/mg;
is("@bucket{qw(0.2500 0.5000 1.0000 +Inf)}", '0 5 5 5', 'Prometheus: none below a quarter of a second, all below half of one');
my $l = told_of('SLOW')->{latency_seconds};
is("@$l{qw(0.2500 0.5000 1.0000 count)}", '0 5 5 5', 'JSON: the same');
cmp_ok($l->{sum}, '>=', 5 * 0.3, 'their sum');
cmp_ok($l->{sum}, '<', 5 * 0.5, 'and no more');


=== TEST 7: a scheduled campaign that starts late is told of
--- check
my $account = account();
my $at = int(time) + 2;
my @t = gmtime $at;
my $c = start($account, 'LAG', to => [numbers(3)], schedule => sprintf '%d-%02d-%02d %02d:%02d:%02d', $t[5] + 1900, $t[4] + 1, @t[3, 2, 1, 0]);
my $pid = look()->{dispatcher}{pid};
kill STOP => $pid or die $!;
wait_for { time >= $at + 0.6 };
kill CONT => $pid or die $!;
ok(wait_for(sub { requests('LAG') == 3 }), 'it starts when its dispatcher goes on');
my $late = (requests('LAG'))[0]{time} - $at;
my $lag = 0;
wait_for { $lag = look()->{dispatcher}{lag}; $lag >= 0.6 } 1;
cmp_ok($lag, '>=', 0.6, 'how late is told');
cmp_ok($lag, '<', $late + 0.1, 'and no more than that');
is(counts(settled($account, $c)), 'completed: 3 sent of 3', 'it is sent');
ok(wait_for(sub { look()->{dispatcher}{lag} < 0.6 }), 'two seconds later nothing is late');


=== TEST 8: what goes in a burst is not late
--- check
my $account = account(rate => 2, burst => 200);
is(counts(settled($account, start($account, 'BURST', to => [numbers(100)]))), 'completed: 100 sent of 100', 'a burst is sent');
cmp_ok(look()->{dispatcher}{lag}, '<', 0.5, 'at its time');
