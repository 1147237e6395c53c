package Campaign::Source;

# The tables of src/http as a test needs them: routes, resources with their fields, filters and columns, error codes.  Read out of the C
# sources: each is an array whose rows are initializers, `{ ngx_string("name"), FLAGS, &type, … }`.

use v5.10.1;
use strict;
use warnings;

use Carp qw(croak);
use Exporter 'import';

our @EXPORT = qw(routes errors resource);

my $string = qr/"(?:[^"\\]|\\.)*"/;
my $round = qr/(?<round>\((?:$string|[^()"]|(?&round))*\))/;

my %text = map { m{([^/]+)\z} => slurp($_) } glob 'src/http/*.[ch]';
my %macro = map { slurp($_) =~ /^#define\s+(NGX_CAMPAIGN_\w+)[ \t]+(\S[^\n]*?)\s*$/mg } glob('src/*/*.h'), glob('src/http/*.c');

# a file without its comments
sub slurp {
    my $file = shift;
    open my $in, '<', $file or croak "$file: $!";
    local $/;
    return <$in> =~ s{($string|'(?:[^'\\]|\\.)')|/\*.*?\*/}{$1 // ' '}gesr;
}

# the rows of the array that is declared as $declaration: cells are texts, or, where they are braced, arrays of cells
sub table {
    my $declaration = shift;

    for (map { $text{$_} } sort keys %text) {
        return rows($_) if /$declaration\s*=\s*\{/g;
    }
    return;
}

# every struct of a type: its variable's name => { field => text }
sub structs {
    my $type = shift;
    my %structs;

    for (map { $text{$_} } sort keys %text) {
        while (/\b$type\s+ngx_http_campaign_(\w+)\s*=\s*\{/g) {
            my $name = $1;
            $structs{$name} = { map { /\A\.(\w+)=(.*)\z/s ? ($1 => $2) : () } rows($_) };
        }
    }
    return %structs;
}

# reads behind an opening brace up to its closing one, at pos of the text
sub rows {
    my ($cell, @cells) = ('');

    until ($_[0] =~ /\G\s*\}/gc) {
        if ($_[0] =~ /\G\s*,/gc) {
            push @cells, $cell;
            $cell = '';
        } elsif ($_[0] =~ /\G\s*\{/gc) {
            $cell = $cell eq '' ? [rows($_[0])] : $cell . '{' . join(', ', map { ref ? "@$_" : $_ } rows($_[0])) . '}';
        } elsif ($_[0] =~ /\G\s*($string|$round|\w+|.)/gcs) {
            $cell .= ref $cell ? croak "a cell goes on behind its brace: $1" : "$1";
        } else {
            croak 'a table has no end';
        }
    }

    push @cells, $cell if ref $cell || $cell =~ /\S/;
    return @cells;
}

# ngx_string("a" "b") or "ab": its text; undef: something else
sub name {
    my $cell = shift;
    return if ref $cell || $cell !~ /\A(?:ngx_string\((.*)\)|($string))\z/s;
    return join '', map { substr($_, 1, -1) =~ s/\\(.)/$1/gr } ($1 // $2) =~ /$string/g;
}

sub number {
    my $cell = shift;
    $cell = $macro{$cell} while exists $macro{$cell};
    return $cell =~ /\A\d+\z/ ? 0 + $cell : undef;
}

# the names of the family (a pattern) that are or-ed
sub flags {
    my ($cell, $family) = @_;
    1 while $cell =~ s/\b(NGX_CAMPAIGN_(?!$family)\w+)\b/exists $macro{$1} ? $macro{$1} : croak "what is $1"/e;
    return map { s/\AF_//r => 1 } $cell =~ /NGX_CAMPAIGN_((?:$family)\w*)/g;
}

# every route, or those of one service: service (api, admin), path, method, flags (FULL_KEY, BODY, …), resource (undef: none), handler,
# status, codes of its {id}s
sub routes {
    my @services = @_ ? @_ : ('api', 'admin');
    my @routes;

    for my $service (@services) {
        for (table(qr/ngx_http_campaign_route_t\s+ngx_http_campaign_$service\[\]/)) {
            my ($path, $method, $flags, $resource, $handler, $status, $codes) = @$_;
            next if !defined name($path);

            push @routes, {
                service => $service,
                path => name($path),
                method => $method =~ s/NGX_HTTP_//r,
                flags => { flags($flags, 'FULL_KEY|BODY|OPEN') },
                resource => $resource =~ /\A&ngx_http_campaign_(\w+)/ ? "$1" : undef,
                handler => $handler =~ s/ngx_http_campaign_//r,
                status => $status,
                codes => [grep { $_ } @$codes],
            };
        }
    }
    return @routes;
}

# code => { status, message }
sub errors {
    my %errors;

    for (table(qr/ngx_http_campaign_error_row_t\s+ngx_http_campaign_errors\[\]/)) {
        my ($code, $status, $message) = @$_;
        $errors{$code} = { status => 0 + $status, message => name($message) };
    }
    return %errors;
}

my %resources = structs('ngx_http_campaign_resource_t');
my %exports = structs('ngx_http_campaign_export_source_t');
my %columns = map { $_->{resource} =~ s/\A&ngx_http_campaign_//r => $_->{columns} } values %exports;

# a resource: fields, each { name, flags (POST, SHOW, …), type, least, most, codes }; table: who shares these fields; given: names that
# are read without a table of fields, each with its limit; filters and columns (of an export): names; codes: of the store's answers
sub resource {
    my $name = shift;
    my $is = $resources{$name} // croak "no resource $name";
    my $names = sub { [map { name($_->[0]) // () } defined $_[0] ? table(qr/\b\Q$_[0]\E\[\]/) : ()] };

    my %resource = (table => $is->{fields} =~ s/_fields\z//r, filters => $names->($is->{filters}), columns => $names->($columns{$name}),
                    codes => [grep { $_ } map { number($_) } ($is->{code} // '') =~ /=(\w+)/g]);

    for (table(qr/\b\Q$is->{fields}\E\[\]/)) {
        my ($name, $flags, $type, undef, $least, $most, $codes) = @$_;
        next if !defined name($name);

        push @{ $resource{fields} }, { name => name($name), flags => { flags($flags, 'F_') }, type => $type =~ s/\A&ngx_http_campaign_//r,
                                       least => number($least), most => number($most), codes => [grep { $_ } @$codes] };
    }

    if (($is->{read} // '') =~ /contacts/) {
        my @rows = grep { defined name($_->[0]) } table(qr/ngx_http_campaign_contact_row_t\s+\w+\[\]/);
        $resource{given} = { map { name($_->[0]) => number($_->[2]) } @rows };
    }
    return \%resource;
}

1;
