# Who else could change what an elevated PowerShell runs. Loading this file does nothing else.

# SYSTEM, the administrators, and TrustedInstaller, which owns what Windows comes with.
$TrustedSids = @(
    'S-1-5-18', 'S-1-5-32-544', 'S-1-5-80-956008885-3418522649-1831038044-1853292631-2271478464'
)
# CREATOR OWNER and OWNER RIGHTS mean the owner, who is looked at anyway.
$OwnerSids = @('S-1-3-0', 'S-1-3-4')
# What puts something else in the place of a file or a folder: to remove what is in it, to set its access,
# to own it, everything; and to remove it.
$ReplaceRights = 0x10000000 -bor 0x80000 -bor 0x40000 -bor 0x40
$DeleteRight = 0x10000
# What changes a file, or adds to a folder: also attributes, which can make a link of it.
$WriteRights = 0x40000000 -bor 0x100 -bor 0x10 -bor 0x4 -bor 0x2
$InheritOnly = 2

# Whether what this PowerShell runs may change the whole machine. Only Windows tells it.
function Test-Elevated {
    return [System.IO.Path]::DirectorySeparatorChar -eq '\' -and (Test-Administrator)
}

# The drives of this machine: not those of the network, whose administrators are others.
function Test-OwnDrive([string] $Path) {
    $root = [System.IO.Path]::GetPathRoot($Path)
    if ($root -notmatch '^[A-Za-z]:\\$') { return $false }
    return (New-Object System.IO.DriveInfo $root).DriveType -eq [System.IO.DriveType]::Fixed
}

# The folder of a path; nothing above a drive.
function Get-Folder([string] $Path) { return '' + [System.IO.Path]::GetDirectoryName($Path) }

# A link leads where others may lead it.
function Test-Link([string] $Path) {
    return ([int] [System.IO.File]::GetAttributes($Path) -band [int] [System.IO.FileAttributes]::ReparsePoint) -ne 0
}

# The account's name, or its number where it has none.
function Get-AccountName($Sid) {
    try { return $Sid.Translate([System.Security.Principal.NTAccount]).Value } catch { return $Sid.Value }
}

# Who besides administrators owns this or has one of these rights to it, as a sentence's beginning; nothing
# when nobody does. What only what is below it inherits counts where something is to be made below it.
function Get-Stranger([string] $Path, [int] $Rights, [bool] $IsParent) {
    $type = [System.Security.Principal.SecurityIdentifier]
    $access = Get-Acl -LiteralPath $Path
    $owner = $access.GetOwner($type)
    if ($TrustedSids -notcontains $owner.Value) { return "$Path belongs to $(Get-AccountName $owner)" }
    # Rules with a condition are in no list of rules.
    if ($access.Sddl -match '\((XA|ZA|OA);') { return "$Path has rules that depend on conditions" }
    foreach ($rule in $access.GetAccessRules($true, $true, $type)) {
        $sid = $rule.IdentityReference
        if (([string] $rule.AccessControlType) -ne 'Allow') { continue }
        if (($TrustedSids + $OwnerSids) -contains $sid.Value) { continue }
        if (-not $IsParent -and ([int] $rule.PropagationFlags -band $InheritOnly) -ne 0) { continue }
        if (([int] $rule.FileSystemRights -band $Rights) -eq 0) { continue }
        return "$(Get-AccountName $sid) may change $Path"
    }
}

# The rights by which something on the way is exchanged. Above the prefix others may add what they like; a
# drive cannot be removed.
function Get-ChangeRights([string] $Path, [string] $Prefix, [bool] $IsParent) {
    $rights = $ReplaceRights
    if ((Get-Folder $Path) -ne '') { $rights = $rights -bor $DeleteRight }
    if ($IsParent -or $Path.Length -ge $Prefix.Length) { $rights = $rights -bor $WriteRights }
    return $rights
}

# Why what is at a place below a prefix, or is to come there, is not administrators' alone, as a sentence's
# beginning; nothing when it is. Looks at it and at every folder above; what is missing cannot be looked at,
# so that there the folder counts in which it would be made.
function Get-Distrust([string] $Place, [string] $Prefix) {
    $isMissing = $false
    for ($at = $Place; $at -ne ''; $at = Get-Folder $at) {
        if (-not ([System.IO.File]::Exists($at) -or [System.IO.Directory]::Exists($at))) {
            $isMissing = $true
            continue
        }
        if (Test-Link $at) { return "$at is a link" }
        $found = Get-Stranger $at (Get-ChangeRights $at $Prefix $isMissing) $isMissing
        if ($found) { return $found }
        $isMissing = $false
    }
}

# The command without elevation, for a person to run.
function Get-PlainCommand([hashtable] $Given) {
    $words = @('.\install.ps1')
    foreach ($name in @('Uninstall', 'Status', 'KeepConfig')) { if ($Given[$name]) { $words += "-$name" } }
    if ($Given['Server']) { $words += "-Server '$($Given['Server'].Replace("'", "''"))'" }
    return ($words + "-Prefix '$($Given['Prefix'].Replace("'", "''"))'") -join ' '
}

# Ends when an elevated PowerShell would run, replace or remove below a prefix what others than
# administrators could change: whoever does that would be an administrator.
function Assert-OwnPrefix([hashtable] $Given) {
    if (-not $Given['Prefix'] -or -not (Test-Elevated)) { return }
    $prefix = [System.IO.Path]::GetFullPath($Given['Prefix']).TrimEnd('\')
    $found = "$prefix is on no drive of this machine"
    if (Test-OwnDrive $prefix) {
        $found = ''
        $place = Get-InstalledPlace $prefix
        $others = @('install.json', 'state') | ForEach-Object { Join-Path $prefix $_ }
        foreach ($each in (@($place.Program, $place.Config) + $others)) {
            if (-not $found) { $found = Get-Distrust $each $prefix }
        }
    }
    if (-not $found) { return }
    $sentence = "$found. An elevated PowerShell runs nothing there."
    $sentence += " In one that is not elevated, as the one whose it is, try: $(Get-PlainCommand $Given)"
    if ($Given['Server']) { $sentence += ' Or leave out -Prefix.' }
    Stop-Installation Usage $sentence
}
