# receipts: delivery receipts a second that one worker takes, each durable before its answer, while it sends a campaign at full speed.
#
# A campaign was sent; then wrk with 256 connections sends a receipt for each of its messages, by our id, as Kannel does.  By turns: `return 200` of
# the same nginx with the same requests, and the receipts, each while another campaign is sent and with nothing beside it.
# needs: wrk=wrk

use v5.10.1;
use strict;
use warnings;

use Bench;
use HTTP::Tiny;
use Time::HiRes qw(time);

my $rounds = of_quick(1, 3);
my $n = of_quick(20_000, 60_000);
my $seconds = of_quick(1, 2);
my $file = "$ENV{CAMPAIGN_BENCH_DIR}/receipts.ids";

my $gateway = Bench::Gateway->new('receipts');
my $server = Bench::Server->new('receipts', gateway => $gateway, server => <<'END');
campaign_gateway RECEIPTED /_gateway concurrency=1024 id=off;
location = /receipts { campaign_receipts by=id delivered=1 failed=2 id=id status=status; }
location = /fixed { default_type application/json; return 200 '{"data":{}}'; }
END
my $client = $server->account;
$client->ask(POST => '/v1/senders', { name => 'Acme', channel => 'RECEIPTED' });
my %audience = map { $_ => $server->audience($client, $_ eq 'SMS' ? 100_000 : $n, $_) } qw(RECEIPTED SMS);
my (%cpu, @sent, @beside);

# a campaign whose messages wait for their receipts; its id
sub sent {
    my $id = $server->send($client, $gateway, $audience{RECEIPTED}, $n, 'RECEIPTED');
    my $got = HTTP::Tiny->new->get($server->url("/v1/campaigns/$id/messages"), { headers => { 'X-Dexatel-Key' => $client->{key}, Accept => 'application/x-ndjson' } });
    my @ids = $got->{content} =~ /^\{"id":"([^"]+)"/mg;
    @ids == $n or die @ids . " ids of $n\n";
    open my $out, '>', $file or die "$file: $!\n";
    print $out map { "$_\n" } @ids;
    close $out;
    return $id;
}

# requests a second to this location, one for each id, in turn; and what one of them costs the worker, us
sub load {
    my ($path, $name) = @_;
    my $cpu = $server->cpu;
    my $got = Bench::Load::wrk($server->url($path), connections => 256, seconds => $seconds, script => <<"END");
local requests, at = {}, 0
for id in io.lines("$file") do
    requests[#requests + 1] = "GET $path?id=" .. id .. "&status=1 HTTP/1.1\\r\\nHost: localhost\\r\\n\\r\\n"
end
request = function()
    at = at % #requests + 1
    return requests[at]
end
END
    push @{ $cpu{$name} }, ($server->cpu - $cpu) / 1e3 / $got->{requests};
    return $got;
}

sub beside {
    my $code = shift;
    my @ids = map { $server->campaign($client, audience => $audience{SMS}, channel => 'SMS') } 1 .. 1 + $seconds;
    my $count = $gateway->count;
    wait_for(10, 'the campaign', sub { $gateway->count > $count });
    ($count, my $from) = ($gateway->count, time);
    my $rate = $code->();
    push @sent, ($gateway->count - $count) / (time - $from);
    for my $id (@ids) {
        my ($status) = $client->talk($client->request(PATCH => "/v1/campaigns/$id", 'application/json', '{"data":{"status":"canceled"}}'));
        die "cancel: $status\n" if $status !~ /\A(?:2|409)/;
    }
    return $rate;
}

# the receipts of a campaign; all of them count
sub receipts {
    my ($id, $name) = @_;
    my $got = load('/receipts', $name);
    my ($delivered) = $client->get("/v1/campaigns/$id") =~ /"delivered":(\d+)/;
    my $least = $got->{requests} < $n ? $got->{requests} : $n;
    die "$delivered are delivered by $got->{requests} receipts of $n\n" if $delivered < $least;
    return $got->{rate};
}

sent();
my %got = rounds($rounds, fixed => sub { beside(sub { load('/fixed', 'fixed')->{rate} }) },
                 receipts => sub { my $id = sent(); my $rate = beside(sub { receipts($id, 'receipts') }); push @beside, $sent[-1]; $rate },
                 fixed_alone => sub { load('/fixed', 'fixed_alone')->{rate} },
                 receipts_alone => sub { receipts(sent(), 'receipts_alone') });

row('`return 200`, while a campaign is sent', sprintf '%d/s', median(@{ $got{fixed} }));
row('receipts meanwhile ÷ that', sprintf('%d/s', median(@{ $got{receipts} })), ratio => ratio($got{receipts}, $got{fixed}),
    value => sprintf('%d', median(@{ $got{receipts} })), least => 20_000, unit => '/s');
row('messages sent meanwhile', sprintf '%d/s', median(@beside));
row('`return 200`, nothing beside it', sprintf '%d/s, %.1f us CPU', median(@{ $got{fixed_alone} }), median(@{ $cpu{fixed_alone} }));
row('receipts ÷ that', sprintf('%d/s, %.1f us CPU', median(@{ $got{receipts_alone} }), median(@{ $cpu{receipts_alone} })),
    ratio => ratio($got{receipts_alone}, $got{fixed_alone}));

$_->stop for $server, $gateway;
unlink $file;
