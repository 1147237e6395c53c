# Exports: all contacts of an audience as CSV or NDJSON, streamed; an import reads them back.

use lib 't/lib';
use Campaign;
use Test::Nginx::Socket 'no_plan';

use Time::HiRes qw(time sleep);

# rows of CSV (RFC 4180), read by a reader of its own
sub csv {
    my ($text) = @_;
    my @rows = ([]);
    while ($text =~ /\G(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r\n|\z)/gc) {
        my ($quoted, $cell, $end) = ($1, $2, $3);
        $cell = $quoted =~ s/""/"/gr if defined $quoted;
        push @{ $rows[-1] }, $cell;
        push @rows, [] if $end eq "\r\n";
        last if $end eq '' || $end eq "\r\n" && pos $text == length $text;
    }
    pop @rows if @{ $rows[-1] } == 0;
    return \@rows;
}

# the contacts of an audience without what names it, by number
sub contacts {
    my ($a, $audience) = @_;
    my @all;
    my $path = "/audiences/$audience->{id}/contacts?page_size=100";
    while ($path) {
        my $r = $a->get($path);
        push @all, @{ $r->data };
        $path = $r->page->{links}{next};
    }
    delete @$_{qw(id links)} for @all;
    return \@all;
}

sub odd {
    return (
        { number => '15550000001', first_name => '=1+1', last_name => '+44', custom1 => '-1', custom2 => '@SUM(A1)' },
        { number => '15550000002', first_name => "\tTab", last_name => "\rCR", custom1 => "'=x", custom2 => "''+y" },
        { number => '15550000003', first_name => "O'Neil", last_name => "'quoted'", custom1 => '"=1"', custom2 => 'a,b' },
        { number => '15550000004', first_name => "two\nlines", last_name => "two\r\nlines", custom1 => '"', custom2 => '""' },
        { number => '15550000005', first_name => "\x{4e16}\x{1f600}", tags => ['=tag', "a'b", 'c,d', '"'] },
        { number => '15550000006', tags => ['one'] },
        { number => '15550000007' },
    );
}

run_tests();

__DATA__

=== TEST 1: contacts as CSV: a header row, one row a contact, oldest first
--- check
my $a = account();
my $audience = $a->audience(contacts => [{ number => '+15551234567', first_name => 'Ann' }, { number => '15551234568', custom1 => 'a "b", c' }]);
my $r = $a->get("/audiences/$audience->{id}/contacts", Accept => 'text/csv');
answered($r, 200, 'exported');
is($r->header('content-type'), 'text/csv; charset=utf-8', 'type');
is($r->header('content-disposition'), 'attachment; filename="contacts.csv"', 'a name to save it under');
is($r->body, qq{number,first_name,last_name,custom1,custom2,tags\r\n15551234567,Ann,,,,\r\n15551234568,,,"a ""b"", c",,\r\n}, 'body');


=== TEST 2: contacts as NDJSON: a line is what the list shows
--- check
my $a = account();
my $audience = $a->audience(contacts => [odd()]);
my $r = $a->get("/audiences/$audience->{id}/contacts", Accept => 'application/x-ndjson');
answered($r, 200, 'exported');
is($r->header('content-type'), 'application/x-ndjson', 'type');
my @lines = map { JSON::PP->new->utf8->decode($_) } split /\n/, $r->body;
is_deeply(\@lines, $a->get("/audiences/$audience->{id}/contacts")->data, 'lines');


=== TEST 3: what a spreadsheet would execute is quoted, and an import reads back the same contacts
--- check
my $a = account();
my @odd = odd();
my $audience = $a->audience(contacts => \@odd);
my $export = $a->get("/audiences/$audience->{id}/contacts", Accept => 'text/csv')->body;
my $rows = csv($export);
is(scalar @$rows, 1 + @odd, 'a row each');
is_deeply([@{ $rows->[1] }[1 .. 4]], ["'=1+1", "'+44", "'-1", "'\@SUM(A1)"], 'formulas');
is_deeply([@{ $rows->[2] }[1 .. 4]], ["'\tTab", "'\rCR", "''=x", "'''+y"], 'tab, CR, and what looks like a quoted formula');
is_deeply([@{ $rows->[3] }[1 .. 4]], ["O'Neil", "'quoted'", '"=1"', 'a,b'], 'other cells are as they are');
is((grep { /\A[=+\-@\t\r]/ } map { @$_ } @$rows), 0, 'no cell begins with a formula');

for my $type ('text/csv', 'application/x-ndjson') {
    my $copy = $a->audience(contacts => []);
    my $bytes = $a->get("/audiences/$audience->{id}/contacts", Accept => $type)->body;
    my $r = $a->post("/audiences/$copy->{id}/contacts", $bytes, 'Content-Type' => $type);
    answered($r, 201, "$type is imported");
    is_deeply([@{ $r->data }{qw(created duplicates invalid)}], [scalar @odd, 0, 0], 'all of it');
    is_deeply(contacts($a, $copy), contacts($a, $audience), 'the same contacts');
}


=== TEST 4: raw=true leaves formulas as they are
--- check
my $a = account();
my $audience = $a->audience(contacts => [odd()]);
my $rows = csv($a->get("/audiences/$audience->{id}/contacts?raw=true", Accept => 'text/csv')->body);
is_deeply([@{ $rows->[1] }[1 .. 4]], ['=1+1', '+44', '-1', '@SUM(A1)'], 'formulas');
is_deeply([@{ $rows->[2] }[1 .. 4]], ["\tTab", "\rCR", "'=x", "''+y"], 'and the others');


=== TEST 5: Accept chooses the form by quality
--- check
my $a = account();
my $audience = $a->audience();
my %type = ('application/json' => 'application/json', '*/*' => 'application/json', 'text/html' => 'application/json',
            'text/CSV' => 'text/csv; charset=utf-8', 'text/csv, */*;q=0.1' => 'text/csv; charset=utf-8',
            'text/csv;q=0.5, application/json' => 'application/json', 'application/x-ndjson;q=0.9,text/csv;q=0.8' => 'application/x-ndjson',
            'text/csv;q=0' => 'application/json', 'text/csv;header=present;q=0.2,application/json; q=0.1' => 'text/csv; charset=utf-8');
is($a->get("/audiences/$audience->{id}/contacts", Accept => $_)->header('content-type'), $type{$_}, $_) for sort keys %type;


=== TEST 6: an export of nothing, HEAD, errors in their envelope
--- check
my $a = account();
my $audience = $a->audience(contacts => []);
my $path = "/audiences/$audience->{id}/contacts";
is($a->get($path, Accept => 'text/csv')->body, "number,first_name,last_name,custom1,custom2,tags\r\n", 'the header row alone');
is($a->get($path, Accept => 'application/x-ndjson')->body, '', 'nothing');
my $r = $a->head($path, Accept => 'text/csv');
answered($r, 200, 'HEAD');
is($r->header('content-type'), 'text/csv; charset=utf-8', 'its type');
refused($a->get('/audiences/00000000-0000-4000-8000-000000000000/contacts', Accept => 'text/csv'), 404, 1301, 'no such audience');
refused(account()->get($path, Accept => 'text/csv'), 404, 1301, "another account's");
refused(nobody()->get($path, Accept => 'text/csv'), 401, 1001, 'without a key');
