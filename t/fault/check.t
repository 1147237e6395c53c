# campaignctl check: what is sound it calls so, beside a running server and without one; what was changed in any value it finds.

use v5.10.1;
use strict;
use warnings;

use lib 't/lib';
use Campaign;
use Campaign::Chance;
use Campaign::Fault;
use Campaign::Sending;
use Campaign::Server;
use File::Copy qw(copy);
use File::Path qw(make_path remove_tree);
use Test::More;

my $flips = long() ? 4000 : 180;

gateway(sub { my $r = shift; my $n = substr decode($r->{body})->{data}{to}[0], -2; { status => $n % 10 == 3 ? 500 : $n % 10 == 4 ? 400 : 200, delay => 0.02,
    body => '{"data":[{"id":"gw-' . $r->{id} . '"}]}' } });

my $server = Campaign::Server->new(workers => 2, server => join '', map { channel($_, 'concurrency=16') } qw(ONE TWO));
my $account = account(rate => 400, burst => 5);
my $store = store_dir();


# a store with something in each of its tables
{
    account(rate => 5);
    $account->sender(channel => $_) for qw(ONE TWO);
    $account->{senders}{$_} = 1 for qw(ONE TWO);
    $account->template(channel => 'ONE', name => 'a template') for 1;

    my @contacts = map { { number => "$_", first_name => "name $_" } } numbers(600);
    my $audience = $account->audience(channel => 'ONE', contacts => \@contacts);
    my $few = $account->audience(channel => 'TWO', contacts => [@contacts[0 .. 9]]);
    my @members = @{ $account->get("/audiences/$few->{id}/contacts")->data };
    answered($account->delete("/audiences/$few->{id}/contacts/$members[3]{id}"), 204, 'a contact is deleted');

    $account->make('/webhooks', { url => 'http://203.0.112.1/', event => $_, secret => 'secret' }) for qw(delivery campaign);
    $account->make('/suppressions', { number => "$_" }) for 15559990001 .. 15559990009;

    my %from = (from => 'Acme', text => 'Hello {first_name}');
    my $done = start($account, 'TWO', to => [numbers(7)]);
    $account->make('/campaigns', { %from, channel => 'TWO', audience => $few->{id}, schedule => '2100-01-01 00:00:00' });
    my $canceled = $account->make('/campaigns', { %from, channel => 'ONE', audience => $audience->{id}, schedule => '2100-01-01 00:00:00' });
    answered($account->patch("/campaigns/$canceled->{id}", { status => 'canceled' }), 200, 'a campaign is canceled');
    $account->make('/messages', { from => 'Acme', channel => 'TWO', text => 'alone', to => [numbers(3)] });
    answered($account->post('/templates', { text => "keyed $_", channel => 'ONE' }, 'Idempotency-Key' => "key $_"), 201, 'a key is used') for 1 .. 3;
    settled($account, $done);

    my $running = start($account, 'ONE', to => undef, audience => $audience->{id});
    my $paused = start($account, 'TWO', to => [numbers(400)]);
    wait_for { requests('TWO') >= 60 && requests('ONE') >= 60 };
    answered($account->patch("/campaigns/$paused->{id}", { status => 'paused' }), 200, 'a campaign is paused');
    sound($store, 'sound beside a running server, in mid-campaign') for 1 .. 5;
    wait_for { requests('ONE') >= 200 };
    $server->crash;
}

my ($status, $said) = check($store);
is($status, 0, 'sound after a crash') or BAIL_OUT($said);
like($said, qr/sound; 2 accounts, \d+ campaigns, 1\d\d\d messages, \d+ entries/, 'and says what it looked at') or diag $said;

unlike($said, qr/not checked/, 'at each table');

is((check("$store/none"))[0], 2, 'no store: 2');
{
    my $empty = "$store-empty";
    remove_tree($empty);
    make_path($empty);
    is((check($empty))[0], 2, 'an empty directory: 2');
    open my $out, '>', "$empty/data.mdb";
    is((check($empty))[0], 2, 'an empty file: 2');
    print $out 'x' x 65536;
    close $out;
    is((check($empty))[0], 1, 'no file of LMDB: 1');
    remove_tree($empty);
}


# changes, in a copy
my $copy = "$store-flipped";
remove_tree($copy);
make_path($copy);
copy("$store/data.mdb", "$copy/data.mdb") or die "copy: $!";

my (%values, %keys);
for (split /\n/, `@{[ tool('values') ]} '$copy'`) {
    my ($is_key, $db, @place) = /\A(\(?)(\w+)\)? (\d+) (\d+)\z/ or die "values said $_\n";
    push @{ ($is_key ? \%keys : \%values)->{$db} }, \@place;
}
cmp_ok(scalar keys %keys, '>=', 17, 'each table, but perhaps feed, holds something') or diag join ' ', sort keys %keys;

open my $file, '+<:raw', "$copy/data.mdb" or die "$copy: $!";
my $size = -s $file;

# the bit is changed, the store looked at, and the bit put back
sub flipped {
    my ($at, $bit) = @_;
    sysseek $file, $at, 0;
    sysread $file, my $byte, 1;
    my $put = sub { sysseek $file, $at, 0; syswrite $file, $_[0] };
    $put->(chr(ord($byte) ^ 1 << $bit));
    my @result = check($copy, 20);
    $put->($byte);
    return @result;
}

# bytes, from and to, that nothing else tells of: a limiter's state, tries of settled messages, numbers that were given last, of which higher ones are no fault,
# gateways' ids of messages that no receipt will come for
my %alone = map { $_ => [0, 1e9] } qw(limit tries meta theirs);

# digits and place in a suppression's key: as sound with others, if its neighbours still stand in order
my %alone_keys = (%alone, feed => [0, 1e9], suppress => [4, 13]);

# a count of none is as true under another name: is the value behind such a key zero?
sub nothing {
    sysseek $file, $_[0], 0;
    sysread $file, my $value, 8;
    return $value eq "\0" x 8;
}

sub some {
    my ($title, $n, $places, $alone) = @_;
    my (@missed, @broken, %tried, %found);

    for (1 .. $n) {
        my ($db) = pick(1, sort keys %$places);
        my ($at, $length) = @{ (pick(1, @{ $places->{$db} }))[0] };
        my ($offset, $bit) = (chance($length), chance(8));
        next if $db eq 'count' && $places == \%keys && nothing($at + $length);
        $at += $offset;
        my ($status, $said) = flipped($at, $bit);
        $tried{$db}++;
        $found{$db}++ if $status == 1;
        my ($from, $end) = @{ $alone->{$db} // [0, 0] };
        push @missed, "$db at $at, bit $bit, byte $offset of $length" if $status == 0 && !($offset >= $from && $offset < $end);
        push @broken, "$db at $at, bit $bit: $status $said" if $status > 2;
    }

    is_deeply(\@missed, [], "$title: each is found");
    is_deeply(\@broken, [], 'and the check comes to its end');
    note join ' ', map { "$_ " . ($found{$_} // 0) . "/$tried{$_}" } sort keys %tried;
}

some("$flips values with a bit changed", $flips, \%values, \%alone);
some(int($flips / 3) . ' keys with a bit changed', int($flips / 3), \%keys, \%alone_keys);

{
    my (%ends, @broken);
    for (1 .. $flips / 3) {
        my ($at, $bit) = (chance($size), chance(8));
        my ($status, $said) = flipped($at, $bit);
        $ends{$status}++;
        push @broken, "at $at, bit $bit: $status $said" if $status > 2;
    }
    is_deeply(\@broken, [], 'bits changed anywhere: the check comes to its end');
    note join ' ', map { "status $_: $ends{$_}" } sort keys %ends;
}

is((check($copy))[0], 0, 'put back, all is sound');

# a file that was cut off is a fault, and no crash
my @cut;
for my $part (0.9, 0.5, 0.1) {
    truncate $file, int($size * $part / 4096) * 4096;
    my ($status, $said) = check($copy, 20);
    next if $part == 0.9 && $status == 0;            # nothing but free pages was there
    push @cut, "$part: $status $said" if $status != 1 || $said !~ /cut off/;
}
is_deeply(\@cut, [], 'a file that was cut off is told of as such');

close $file;
remove_tree($copy);
done_testing();
