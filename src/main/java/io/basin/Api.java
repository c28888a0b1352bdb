package io.basin;

import java.lang.annotation.Documented;
import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;

/**
 * Marks the types that a program may rely on, with all that is nested in them: a change of one is told in CHANGELOG.md. Public types
 * without it are public for other packages of ours, and change without a word.
 */
@Documented
@Retention(RetentionPolicy.CLASS)
@Target(ElementType.TYPE)
public @interface Api {}
