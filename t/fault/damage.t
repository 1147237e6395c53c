# Bits of a store change while nobody looks: what is damaged is not sent, everything else is; when it is mended, the rest goes.

use v5.10.1;
use strict;
use warnings;

use lib 't/lib';
use Campaign;
use Campaign::Fault;
use Campaign::Sending;
use Campaign::Server;
use POSIX qw(strftime);
use Test::More;
use Time::HiRes qw(time);

gateway(sub { my $r = shift; $r->{path} eq '/hook' && !$r->{told}{up} ? 503 : 200 });

my @channels = qw(TEXT CONTACT OWNER SOUND);
my $server = Campaign::Server->new(workers => 2, server => join('', map { channel($_, 'receipts=off concurrency=64') } @channels) . <<'END');
resolver 127.0.0.1:1;
campaign_webhook /_webhook allow=127.0.0.1;
location /_webhook { internal; campaign_retry attempts=100 min=100ms max=200ms; proxy_pass $campaign_webhook_url; }
END
my $file = store_dir() . '/data.mdb';

# words that stand in records as they are, one character of them is another one then
my %word = (TEXT => 'text-that-is-damaged', CONTACT => 'name-that-is-damaged', OWNER => 'owner-that-is-damaged');
sub damaged { $_[0] =~ s/that/th4t/r }

# in place, beside whoever has it open: how many there were
sub replace {
    my ($from, $to) = @_;
    open my $io, '+<:raw', $file or die "$file: $!";
    my $all = do { local $/; <$io> };
    my $n = 0;
    while ($all =~ /\Q$from\E/g) {
        sysseek $io, $-[0], 0;
        syswrite $io, $to;
        $n++;
    }
    return $n;
}

my $many = 400;
my %account = map { $_ => account(rate => 200, burst => 1) } @channels;
is(admin()->patch('/accounts/' . $account{OWNER}->id, { name => $word{OWNER} })->status, 200, 'an account gets a name');

# it hears of nothing before the damage is done
$account{TEXT}->make('/webhooks', { url => 'http://127.0.0.1:' . gateway()->port . '/hook', event => 'delivery' });

# half of a block of contacts stand before the one whose name will be damaged
my $audience = $account{CONTACT}->make('/audiences', { name => 'a', channel => 'CONTACT',
    contacts => [map { { number => (numbers($many))[$_], first_name => $_ == 300 ? $word{CONTACT} : 'x' } } 0 .. $many - 1] });

my %c = map { $_ => start($account{$_}, $_, $_ eq 'CONTACT' ? (to => undef, audience => $audience->{id}, text => 'Hi {first_name}')
    : (to => [numbers($many)], text => $_ eq 'TEXT' ? $word{TEXT} : 'Hello')) } @channels;
# due when the damage is done
my $soon = strftime('%Y-%m-%d %H:%M:%S', gmtime(time + 2));
my %later = map { $_ => start($account{$_}, $_, schedule => $soon, text => "later, $word{TEXT}") } qw(TEXT);
my %fine = map { $_ => start($account{$_}, $_, schedule => $soon) } qw(TEXT SOUND);

ok(wait_for(sub { !grep { requests($_) < 20 } @channels }), 'four campaigns are sent');
ok($server->quit, 'the server is stopped');
cmp_ok(replace($word{$_}, damaged($word{$_})), '>', 0, "$_: a record is damaged") for sort keys %word;
$server->start;

is(counts(settled($account{SOUND}, $c{SOUND}, 20)), "completed: $many delivered of $many", 'the sound campaign is sent');
is(counts(settled($account{SOUND}, $fine{SOUND}, 20)), 'completed: 1 delivered of 1', 'and one that was scheduled');
is(counts(settled($account{TEXT}, $fine{TEXT}, 20)), 'completed: 1 delivered of 1', 'one of an account that has a damaged campaign, too');
is(counts(settled($account{SOUND}, start($account{SOUND}, 'SOUND'), 20)), 'completed: 1 delivered of 1', 'and one that is new');

gateway()->tell('up');
my %of = map { $_->{id} => 1 } $account{TEXT}->get("/campaigns/$fine{TEXT}{id}/messages")->data->[0];
ok(wait_for(sub { grep { $of{ decode($_->{body})->{data}{message_id} } } gateway()->requests('/hook') }), 'its webhook hears of the sound campaign');

my %sent = map { $_ => scalar(requests($_)) } @channels;
answered($account{TEXT}->get("/campaigns/$c{TEXT}{id}"), 500, 'who asks for the damaged one is told that it is ours');
answered($account{CONTACT}->get("/campaigns/$c{CONTACT}{id}"), 200, 'what is not damaged can be read');
cmp_ok($sent{CONTACT}, '<=', 300, 'a damaged contact is not sent to');
is(join(',', map { "$_ " . grep({ decode($_->{body})->{data}{text} =~ /th[4]t/ } requests($_)) } sort keys %word), 'CONTACT 0,OWNER 0,TEXT 0', 'nothing that is damaged was sent');

my $log = $server->log_text;
is(join("\n", sort $log =~ /\[crit\] [^\n]* ((?:campaign|account) \S+) is damaged: nothing of it is sent/g),
   join("\n", sort("account " . $account{OWNER}->id, map { "campaign $_->{id}" } $c{TEXT}, $later{TEXT}, $c{CONTACT})), 'the log names each, once');
my $crit = () = $log =~ /\[crit\]/g;
cmp_ok($crit, '<=', 4 * 3, 'and says little else');
my ($status, $said) = check(store_dir());
is($status, 1, 'the check finds it');

# in place, as a byte that was read wrong would be
cmp_ok(replace(damaged($word{$_}), $word{$_}), '>', 0, "$_ is mended") for sort keys %word;
$server->signal('HUP');

is(counts(settled($account{$_}, $c{$_}, 20)), "completed: $many delivered of $many", "$_: the rest is sent") for sort keys %word;
is(counts(settled($account{TEXT}, $later{TEXT}, 20)), 'completed: 1 delivered of 1', 'the scheduled one, too');
for my $channel (sort keys %word) {
    my %n;
    $n{ decode($_->{body})->{data}{to}[0] }++ for grep { decode($_->{body})->{data}{text} !~ /later/ } requests($channel);
    is(scalar(grep { $n{$_} } numbers($many)), $many, "$channel: each number was reached");
}

ok($server->quit, 'the server ends');
is($server->alerts('is damaged|\[crit\] '), '', 'nothing else in the log');
done_testing();
