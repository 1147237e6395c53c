# The debugging log: a message's whole way, by its id, whatever happens to it.

use v5.10.1;
use strict;
use warnings;

use lib 't/lib';
use Campaign;
use Campaign::Sending;
use Campaign::Server;
use Test::More;

plan skip_all => 'with a build that has a debugging log' if `$ENV{TEST_NGINX_BINARY} -V 2>&1` !~ /--with-debug/;

gateway(sub {
    my $r = shift;
    return $r->{try} == 1 ? 500 : { body => '{"data":[{"id":"gw-7"}]}' } if $r->{path} eq '/again';
    return 403 if $r->{path} eq '/refused';
    return { until => $1 } if $r->{path} =~ m{\A/(killed|suspect|handed)};
    return 200;
});

my $server = Campaign::Server->new(level => 'debug_http', workers => 2, server => join('', map({ channel($_, 'receipts=on') }
    qw(AGAIN REFUSED KILLED SUSPECT HANDED BACK PLAIN))) . <<'END');
location = /receipts { campaign_receipts; }
campaign_webhook /_webhook allow=127.0.0.1;
location /_webhook { internal; proxy_pass $campaign_webhook_url; }
END

my $account = account(rate => 1000);

# what the log says of a message, in order: without ids that are not its own, times and answers' codes
sub way {
    my $id = shift;
    my @way = $server->log_text =~ /\[debug\] [^\n]*campaign message \Q$id\E: ([^\n]*)\n/g;
    s/ \(transaction \d+\)//, s/\d+(?= ms)/N/, s/(?<=event )\S+/N/, s/(?<=answer )\d+/N/ for @way;
    return @way;
}

# waits until the last line of its way is this one
sub ends {
    my ($id, $last) = @_;
    return wait_for { ((way($id))[-1] // '') eq $last };
}

sub is_way {
    my ($id, $title, @want) = @_;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    ends($id, $want[-1]);
    is(join("\n", way($id)), join("\n", @want), $title);
}

# the ids of a campaign's messages
sub ids { map { $_->{id} } @{ $_[0]->get("/campaigns/$_[1]{id}/messages?page_size=100")->data } }

# ends the dispatcher; n requests of a channel were made before, one more a message comes of the next dispatcher
sub die_by {
    my ($signal, $channel, $n) = @_;
    wait_for { requests($channel) == $n };
    my $pid = $server->dispatcher;
    $server->signal($signal, $pid);
    wait_for { !Campaign::Server::alive($pid) };
}

my $gateway = Campaign::Client->new('', undef, undef);
my ($id) = ids($account, start($account, 'AGAIN'));
ends($id, 'its gateway\'s id is "gw-7"');
answered($gateway->post('/receipts', { id => $id, status => $_ }), 200, "a receipt: $_") for qw(delivered sent);
is_way($id, 'a repeat, and two receipts',
    'claimed, try 1', 'goes, try 1: 0', 'answer N, status 500', 'gateway_5xx, goes again in N ms',
    'claimed, try 2', 'goes, try 2: 0', 'answer N, status 200', 'sent', 'its gateway\'s id is "gw-7"',
    'receipt: delivered', 'delivered', 'receipt: sent, changes nothing');

# each line of it names the transaction, which says that it was committed
my $log = $server->log_text;
my %named = map { $_ => 1 } $log =~ /campaign message \Q$id\E: [^\n]* \(transaction (\d+)\)/g;
my %committed = map { $_ => 1 } $log =~ /campaign store: transaction (\d+): commit: 0\n/g;
cmp_ok(scalar(keys %named), '>=', 5, 'transactions are named');
is(join(',', grep { !$committed{$_} } sort keys %named), '', 'and each was committed');

my $heard = account();
$heard->make('/webhooks', { url => 'http://127.0.0.1:' . gateway()->port . '/hook', event => 'delivery', secret => 'top secret' });
($id) = ids($heard, start($heard, 'REFUSED'));
is_way($id, 'a failure that a webhook hears of', 'claimed, try 1', 'goes, try 1: 0', 'answer N, status 403', 'failed, gateway_4xx',
    'event N of its webhook');
my ($event) = $server->log_text =~ /campaign message \Q$id\E: event (\S+) of its webhook/;
ok(wait_for(sub { $server->log_text =~ /campaign webhook: event \Q$event\E: answer \d+, status 200/ }), 'whose lines have the id of the event');

$id = $account->post('/messages', { text => 'Hello', to => ['15550001111'], from => 'Acme', channel => 'AGAIN',
    schedule => '2100-01-01T00:00:00Z' })->data->[0]{id};
answered($account->delete("/messages/$id"), 204, 'a message is canceled');
is_way($id, 'before it was claimed', 'canceled, canceled');

my $slow = account(rate => 1, burst => 1);
my $c = start($slow, 'PLAIN', to => [numbers(2)]);
answered($slow->post('/suppressions', { number => (numbers(2))[1] }), 201, 'a number is suppressed');
is_way((ids($slow, $c))[1], 'before its turn', 'skipped, suppressed');

($id) = ids($account, start($account, 'KILLED'));
die_by('KILL', 'KILLED', 1);
wait_for { requests('KILLED') == 2 };
gateway()->tell('killed');
is_way($id, 'its dispatcher was killed', 'claimed, try 1', 'goes, try 1: 0', 'its dispatcher is gone, goes again', 'claimed, try 2',
    'goes, try 2: 0', 'answer N, status 200', 'sent', 'its gateway\'s id is "gw"');

# they may be what dispatchers die of: they go one by one
$c = start($account, 'SUSPECT', to => [numbers(2)]);
die_by('ILL', 'SUSPECT', 2 * $_) for 1 .. 3;
my $off;
ok(wait_for(sub { ($off) = grep { grep { $_ eq 'put off for N ms, dispatchers died with it' } way($_) } ids($account, $c) }), 'a suspect is put off');
gateway()->tell('suspect');
ok(ends($off, 'its gateway\'s id is "gw"'), 'and goes later');

($id) = ids($account, start($account, 'HANDED'));
wait_for { requests('HANDED') == 1 };
$server->signal('HUP');
ends($id, 'handed over, its answer is still to come');
gateway()->tell('handed');
is_way($id, 'a reload while it is in flight', 'claimed, try 1', 'goes, try 1: 0', 'handed over, its answer is still to come',
    'answer N, status 200', 'sent', 'its gateway\'s id is "gw"');

# of what is claimed ahead
my $paced = account(rate => 100, burst => 1);
$c = start($paced, 'BACK', to => [numbers(1000)]);
my $back = wait_for {
    $server->signal('HUP');
    wait_for { ($server->log_text =~ /campaign message (\S+): given back/)[0] } 1;
} 20;
is_way($back, 'a reload before it went', 'claimed, try 1', 'given back, goes again in N ms', 'claimed, try 1', 'goes, try 1: 0',
    'answer N, status 200', 'sent', 'its gateway\'s id is "gw"');

ok(wait_for(sub { $server->workers == 2 }), 'the old workers have ended');
is($server->alerts('exited on signal (?:9|4)\b'), '', 'nothing in the log');
ok($server->quit, 'the server ends');
done_testing();
